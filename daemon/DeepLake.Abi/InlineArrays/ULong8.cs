// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;

namespace DeepLake.Abi;

/// <summary>8 values of ulong in place; used as a span.</summary>
[InlineArray(Length)]
public struct ULong8
{
    /// <summary>How many values it holds.</summary>
    public const int Length = 8;

    private ulong _element0;
}
