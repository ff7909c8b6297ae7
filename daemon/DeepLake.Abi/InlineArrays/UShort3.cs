// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;

namespace DeepLake.Abi;

/// <summary>3 values of ushort in place; used as a span.</summary>
[InlineArray(Length)]
public struct UShort3
{
    /// <summary>How many values it holds.</summary>
    public const int Length = 3;

    private ushort _element0;
}
