// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using DeepLake.Abi;

namespace DeepLake.Packs;

/// <summary>Sizes of packs (docs/on-disk-format.md, "Packed extents").</summary>
public static class PackFormat
{
    /// <summary>Bytes of the content of a full pack; a pack never has more on the device.</summary>
    public const int ContentMax = LakeFormat.PackBlocks * LakeFormat.BlockSize;

    internal static readonly int HeaderBytes = Unsafe.SizeOf<PackHeader>();
}
