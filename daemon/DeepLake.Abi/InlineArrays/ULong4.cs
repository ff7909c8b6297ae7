// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;

namespace DeepLake.Abi;

/// <summary>4 values of ulong in place; used as a span.</summary>
[InlineArray(Length)]
public struct ULong4
{
    /// <summary>How many values it holds.</summary>
    public const int Length = 4;

    private ulong _element0;
}
