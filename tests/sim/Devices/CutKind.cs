// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Sim;

/// <summary>What a power cut does to the writes since the last flush.</summary>
internal enum CutKind
{
    /// <summary>Each sector by itself is lost or kept.</summary>
    Sectors,

    /// <summary>Each write by itself: later ones may be there and earlier ones not.</summary>
    Writes,

    /// <summary>The first ones are kept, then one is torn, the rest is lost.</summary>
    Prefix,

    Everything,
    Nothing,
}
