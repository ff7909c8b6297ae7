// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;

namespace DeepLake.Abi;

/// <summary>3952 values of byte in place; used as a span.</summary>
[InlineArray(Length)]
public struct Byte3952
{
    /// <summary>How many values it holds.</summary>
    public const int Length = 3952;

    private byte _element0;
}
