// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;

namespace DeepLake.Abi;

/// <summary>7 values of byte in place; used as a span.</summary>
[InlineArray(Length)]
public struct Byte7
{
    /// <summary>How many values it holds.</summary>
    public const int Length = 7;

    private byte _element0;
}
