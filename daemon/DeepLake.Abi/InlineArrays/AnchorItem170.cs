// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;

namespace DeepLake.Abi;

/// <summary>170 anchors in place; used as a span.</summary>
[InlineArray(Length)]
public struct AnchorItem170
{
    /// <summary>How many values it holds.</summary>
    public const int Length = 170;

    private AnchorItem _element0;
}
