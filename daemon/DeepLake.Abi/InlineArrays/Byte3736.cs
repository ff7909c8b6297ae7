// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;

namespace DeepLake.Abi;

/// <summary>3736 values of byte in place; used as a span.</summary>
[InlineArray(Length)]
public struct Byte3736
{
    /// <summary>How many values it holds.</summary>
    public const int Length = 3736;

    private byte _element0;
}
