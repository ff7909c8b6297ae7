// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;

namespace DeepLake.Abi;

/// <summary>3688 values of byte in place; used as a span.</summary>
[InlineArray(Length)]
public struct Byte3688
{
    /// <summary>How many values it holds.</summary>
    public const int Length = 3688;

    private byte _element0;
}
