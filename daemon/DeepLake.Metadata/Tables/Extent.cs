// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Metadata.Tables;

/// <summary>
/// One mapped range of a file; in 4096-byte blocks. A skewed one has its bytes at an offset within the blocks of the
/// device, and so refers to one of these more than it has itself (docs/on-disk-format.md, "Skewed extents"). A packed
/// one has them in a pack, compressed: its <see cref="PhysBlock"/> is a place in packs, and it refers to all blocks
/// of the pack ("Packed extents").
/// </summary>
public readonly record struct Extent(ulong FileBlock, ulong PhysBlock, uint Blocks, uint Flags, ulong BirthSeq)
{
    public ulong FileEnd => FileBlock + Blocks;

    public bool HasCrc => (Flags & ExtentFlags.Crc) != 0;

    public bool IsUnwritten => (Flags & ExtentFlags.Unwritten) != 0;

    public bool IsSealed => (Flags & ExtentFlags.Sealed) != 0;

    public bool IsChecked => (Flags & ExtentFlags.Checked) != 0;

    public bool IsPacked => (Flags & ExtentFlags.Packed) != 0;

    public bool IsSkewed => !IsPacked && (Flags & ExtentFlags.SkewMask) != 0;

    /// <summary>Its blocks are its device blocks, one for one.</summary>
    public bool IsPlain => !IsPacked && !IsSkewed;

    /// <summary>How many bytes behind the beginning of its first device block it begins: 0 to 4095.</summary>
    public int Skew => IsPacked ? 0 : (int)((Flags & ExtentFlags.SkewMask) >> ExtentFlags.SkewShift);

    /// <summary>The first block of the device that it refers to.</summary>
    public ulong DeviceBlock => IsPacked ? PhysBlock >> LakeFormat.PackBits : PhysBlock;

    /// <summary>How many blocks of the device it refers to, from <see cref="DeviceBlock"/> on.</summary>
    public uint DeviceBlocks => IsPacked ? ((Flags & ExtentFlags.SpanMask) >> ExtentFlags.SpanShift) + 1 : Blocks + (IsSkewed ? 1u : 0u);

    /// <summary>Of a packed one: the number of its first block in the pack.</summary>
    public int PackIndex => (int)(PhysBlock & (LakeFormat.PackBlocks - 1));

    /// <summary>
    /// Where its bytes begin, in bytes: on the device; of a packed one in packs, which no place on a device equals.
    /// </summary>
    public ulong FirstByte => (PhysBlock * LakeFormat.BlockSize) + (ulong)Skew + (IsPacked ? InPacks : 0);

    private const ulong InPacks = 1ul << 63;

    /// <summary>An extent in a pack, sealed and checked.</summary>
    /// <param name="fileBlock">Where it begins in the file.</param>
    /// <param name="packBlock">The pack's first device block.</param>
    /// <param name="span">How many device blocks the pack has.</param>
    /// <param name="index">Its first block in the pack.</param>
    /// <param name="blocks">How many.</param>
    public static Extent InPack(ulong fileBlock, ulong packBlock, uint span, uint index, uint blocks) => new(
        fileBlock,
        (packBlock << LakeFormat.PackBits) + index,
        blocks,
        ExtentFlags.Sealed | ExtentFlags.Checked | ExtentFlags.Packed | ((span - 1) << ExtentFlags.SpanShift),
        0);

    /// <summary>Whether an extent with these flags may have so many blocks there: a packed one ends in its pack.</summary>
    public static bool FitsItsPack(ulong physBlock, ulong blocks, uint flags) =>
        (flags & ExtentFlags.Packed) == 0 || (physBlock & (LakeFormat.PackBlocks - 1)) + blocks <= LakeFormat.PackBlocks;

    /// <summary>The part of it that maps [<paramref name="from"/>, <paramref name="to"/>), which lies in it.</summary>
    public Extent Slice(ulong from, ulong to) => this with
    {
        FileBlock = from,
        PhysBlock = PhysBlock + (from - FileBlock),
        Blocks = (uint)(to - from),
    };

    /// <summary>Its bytes within what was read of all its <see cref="DeviceBlocks"/>, or of what its pack holds.</summary>
    public ReadOnlySpan<byte> ContentOf(ReadOnlySpan<byte> deviceBlocks) =>
        deviceBlocks.Slice(IsPacked ? PackIndex * LakeFormat.BlockSize : Skew, (int)Blocks * LakeFormat.BlockSize);

    /// <summary>The file blocks that have bytes of one of its device blocks: one, two of a skewed extent, all of a packed one.</summary>
    public (ulong First, ulong End) FileBlocksOf(ulong physBlock)
    {
        if (IsPacked)
        {
            return (FileBlock, FileEnd);
        }

        ulong at = FileBlock + (physBlock - PhysBlock);
        return (IsSkewed && at > FileBlock ? at - 1 : at, Math.Min(at + 1, FileEnd));
    }
}
