// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;

namespace DeepLake.Abi;

/// <summary>2 values of ulong in place; used as a span.</summary>
[InlineArray(Length)]
public struct ULong2
{
    /// <summary>How many values it holds.</summary>
    public const int Length = 2;

    private ulong _element0;
}
