// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Metadata.Tables;

namespace DeepLake.Engine.Ingest;

/// <summary>An extent of a file, or the part of it that lies in a range, as the ingest looks at it.</summary>
/// <param name="FileBlock">Where it begins in the file.</param>
/// <param name="PhysBlock">Where it begins on the device, or in packs.</param>
/// <param name="Blocks">How many blocks.</param>
/// <param name="Flags">Extent flags; SHARED as the kernel is told.</param>
/// <param name="BirthSeq">The MAP that its data came with, or an older one of a neighbour.</param>
/// <param name="Crcs">Checksums, one a block, or none.</param>
public sealed record SealPiece(ulong FileBlock, ulong PhysBlock, uint Blocks, uint Flags, ulong BirthSeq, uint[] Crcs)
{
    public ulong FileEnd => FileBlock + Blocks;

    /// <summary>Without the checksums.</summary>
    public Extent Extent => new(FileBlock, PhysBlock, Blocks, Flags, BirthSeq);

    public bool IsWritten => (Flags & ExtentFlags.Unwritten) == 0;

    public bool IsSealed => (Flags & ExtentFlags.Sealed) != 0;

    public bool IsChecked => (Flags & ExtentFlags.Checked) != 0;

    public bool IsShared => (Flags & ExtentFlags.Shared) != 0;

    public bool IsPacked => Extent.IsPacked;

    /// <summary>By how many bytes the content begins behind the beginning of the first device block; 0: not skewed.</summary>
    public int Skew => Extent.Skew;

    public bool IsSkewed => Extent.IsSkewed;

    /// <summary>How many device blocks it refers to.</summary>
    public uint DeviceBlocks => Extent.DeviceBlocks;
}
