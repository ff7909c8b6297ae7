// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;

namespace DeepLake.Abi;

/// <summary>504 values of byte in place; used as a span.</summary>
[InlineArray(Length)]
public struct Byte504
{
    /// <summary>How many values it holds.</summary>
    public const int Length = 504;

    private byte _element0;
}
