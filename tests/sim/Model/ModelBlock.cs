// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Sim;

/// <summary>One block of a file.</summary>
/// <param name="Phys">Where it lies on the device, of a skewed one where it begins, of a packed one its place in packs.</param>
/// <param name="Flags">Extent flags without SHARED.</param>
/// <param name="Crc">Its checksum, when the flags say so.</param>
/// <param name="Base">What was written into the device's block when it was mapped, or packed: unique in a simulation.</param>
/// <param name="IsMarked">The kernel believes it to be shared; only in the kernel's own tree.</param>
internal readonly record struct ModelBlock(ulong Phys, uint Flags, uint Crc, ulong Base, bool IsMarked)
{
    /// <summary>Of a skewed block what was written into the device's next block, where it ends.</summary>
    public ulong Behind { get; init; }

    /// <summary>
    /// It and the block before it are of one skewed extent, which refers once to the device's block where one of
    /// them ends and the other one begins; or of one packed extent, which refers once to the pack.
    /// </summary>
    public bool IsContinued { get; init; }

    public bool IsUnwritten => (Flags & ExtentFlags.Unwritten) != 0;

    public bool HasCrc => (Flags & ExtentFlags.Crc) != 0;

    public bool IsSealed => (Flags & ExtentFlags.Sealed) != 0;

    public bool IsChecked => (Flags & ExtentFlags.Checked) != 0;

    public bool IsPacked => (Flags & ExtentFlags.Packed) != 0;

    public bool IsSkewed => Skew != 0;

    public uint Skew => IsPacked ? 0 : (Flags & ExtentFlags.SkewMask) >> ExtentFlags.SkewShift;

    /// <summary>The first block of the device that it has to do with.</summary>
    public ulong DeviceBlock => IsPacked ? Phys / LakeFormat.PackBlocks : Phys;

    /// <summary>How many device blocks its pack has.</summary>
    public uint Span => ((Flags & ExtentFlags.SpanMask) >> ExtentFlags.SpanShift) + 1;

    /// <summary>Its number in its pack.</summary>
    public int PackIndex => (int)(Phys % LakeFormat.PackBlocks);

    /// <summary>Where its bytes begin on the device.</summary>
    public ulong FirstByte => (Phys * LakeFormat.BlockSize) + Skew;
}
