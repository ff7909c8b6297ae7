// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;

namespace DeepLake.Abi;

/// <summary>7 values of ulong in place; used as a span.</summary>
[InlineArray(Length)]
public struct ULong7
{
    /// <summary>How many values it holds.</summary>
    public const int Length = 7;

    private ulong _element0;
}
