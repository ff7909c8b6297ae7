// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;

namespace DeepLake.Abi;

/// <summary>16 values of byte in place; used as a span.</summary>
[InlineArray(Length)]
public struct Byte16
{
    /// <summary>How many values it holds.</summary>
    public const int Length = 16;

    private byte _element0;
}
