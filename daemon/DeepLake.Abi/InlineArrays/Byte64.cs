// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;

namespace DeepLake.Abi;

/// <summary>64 values of byte in place; used as a span.</summary>
[InlineArray(Length)]
public struct Byte64
{
    /// <summary>How many values it holds.</summary>
    public const int Length = 64;

    private byte _element0;
}
