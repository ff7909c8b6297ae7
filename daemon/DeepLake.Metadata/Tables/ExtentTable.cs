// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata.Tree;
using DeepLake.Platform;

namespace DeepLake.Metadata.Tables;

/// <summary>
/// The maps of files: sorted, disjoint extents, each with its checksums where they are known.
/// Changing a map never touches data.
/// </summary>
public sealed partial class ExtentTable(BTree tree)
{
    private const int HeaderBytes = 24;
    private readonly byte[] _crcs = new byte[LakeFormat.ExtentCrcBlocksMax * 4];

    /// <summary>The first extent that ends after <paramref name="fileBlock"/>.</summary>
    public bool TryGetAt(ulong ino, ulong fileBlock, out Extent extent)
    {
        if (tree.TryGetAtOrBefore(Keys.Extent(ino, fileBlock), out TreeKey key, out ReadOnlySpan<byte> data)
            && Keys.Is(key, ino, ItemType.Extent))
        {
            extent = Parse(key, data);
            if (extent.FileEnd > fileBlock)
            {
                return true;
            }
        }

        if (tree.TryGetAtOrAfter(Keys.Extent(ino, fileBlock), out key, out data) && Keys.Is(key, ino, ItemType.Extent))
        {
            extent = Parse(key, data);
            return true;
        }

        extent = default;
        return false;
    }

    /// <summary>The stored checksums of an extent's blocks; valid until the next use of the tree.</summary>
    public ReadOnlySpan<uint> CrcsOf(ulong ino, in Extent extent)
    {
        if (!extent.HasCrc || !tree.TryGet(Keys.Extent(ino, extent.FileBlock), out ReadOnlySpan<byte> data))
        {
            return default;
        }

        return MemoryMarshal.Cast<byte, uint>(data[HeaderBytes..]);
    }

    /// <summary>
    /// Removes whatever maps [fileBlock, +blocks) and returns how many blocks that were. Blocks that
    /// lie where <paramref name="keepPhys"/> maps the same file block are reported as kept.
    /// </summary>
    public ulong Punch(ulong ino, ulong fileBlock, ulong blocks, IFreedBlocks freed, ulong? keepPhys = null)
    {
        ulong end = fileBlock + blocks < fileBlock ? ulong.MaxValue : fileBlock + blocks;
        ulong removed = 0;
        while (TryGetAt(ino, fileBlock, out Extent extent) && extent.FileBlock < end)
        {
            ulong cutFrom = Math.Max(extent.FileBlock, fileBlock);
            ulong cutTo = Math.Min(extent.FileEnd, end);
            ReadOnlySpan<byte> crcs = TakeCrcs(ino, extent);
            tree.DeleteFound(Keys.Extent(ino, extent.FileBlock));
            if (cutFrom > extent.FileBlock)
            {
                Write(ino, extent.Slice(extent.FileBlock, cutFrom), CrcSlice(extent, crcs, extent.FileBlock, cutFrom));
            }

            if (cutTo < extent.FileEnd)
            {
                Write(ino, extent.Slice(cutTo, extent.FileEnd), CrcSlice(extent, crcs, cutTo, extent.FileEnd));
            }

            ulong phys = extent.PhysBlock + (cutFrom - extent.FileBlock);
            if (keepPhys is null || !extent.IsPlain || phys != keepPhys.Value + (cutFrom - fileBlock))
            {
                freed.Unmapped(cutTo - cutFrom, extent.Flags);
                Free(extent, cutFrom, cutTo, freed);
            }
            else
            {
                freed.Kept(phys, cutTo - cutFrom, extent.Flags);
            }

            removed += cutTo - cutFrom;
        }

        return removed;
    }

    /// <summary>
    /// What was [cutFrom, cutTo) of an extent is gone: the device blocks that no other part of it refers to. A part
    /// of a skewed extent before it keeps the first of its blocks, one behind it the last; that may be all. Each part
    /// of a packed one keeps the whole pack.
    /// </summary>
    private static void Free(in Extent extent, ulong cutFrom, ulong cutTo, IFreedBlocks freed)
    {
        if (extent.IsPacked)
        {
            FreePacked(extent, cutFrom > extent.FileBlock, cutTo < extent.FileEnd, freed);
            return;
        }

        Extent gone = extent.Slice(cutFrom, cutTo);
        ulong first = gone.PhysBlock;
        ulong end = first + gone.DeviceBlocks;
        if (extent.IsSkewed)
        {
            first += cutFrom > extent.FileBlock && !Planted.Is(PlantedFault.PunchFreesWhatTheRestRefersTo) ? 1u : 0u;
            end -= cutTo < extent.FileEnd ? 1u : 0u;
        }

        if (first < end)
        {
            freed.Freed(first, end - first, extent.Flags);
        }
    }

    private static void FreePacked(in Extent extent, bool isLeftBefore, bool isLeftBehind, IFreedBlocks freed)
    {
        if (isLeftBefore && isLeftBehind)
        {
            freed.CutWithin(extent.DeviceBlock, extent.DeviceBlocks);
        }
        else if ((!isLeftBefore && !isLeftBehind) || Planted.Is(PlantedFault.PunchFreesThePackOfTheRest))
        {
            freed.Freed(extent.DeviceBlock, extent.DeviceBlocks, extent.Flags);
        }
    }

    /// <summary>Adds an extent over a hole; joins it with the one before where that is the same run.</summary>
    public void Insert(ulong ino, in Extent extent, ReadOnlySpan<byte> crcs)
    {
        if (extent.FileBlock > 0 && TryGetEndingAt(ino, extent.FileBlock, out Extent before) && CanJoin(before, extent))
        {
            ReadOnlySpan<byte> old = TakeCrcs(ino, before);
            Span<byte> data = tree.Reserve(
                Keys.Extent(ino, before.FileBlock), HeaderBytes + (before.HasCrc ? old.Length + crcs.Length : 0));
            WriteHeader(data, before with { Blocks = before.Blocks + extent.Blocks });
            if (before.HasCrc)
            {
                old.CopyTo(data[HeaderBytes..]);
                crcs.CopyTo(data[(HeaderBytes + old.Length)..]);
            }

            return;
        }

        Write(ino, extent, crcs);
    }

    private static ReadOnlySpan<byte> CrcSlice(in Extent extent, ReadOnlySpan<byte> crcs, ulong from, ulong to) =>
        extent.HasCrc ? crcs[((int)(from - extent.FileBlock) * 4)..((int)(to - extent.FileBlock) * 4)] : default;

    // two parts of a skewed extent have a reference each to the block where they meet, of a packed one to the pack
    private static bool CanJoin(in Extent before, in Extent after) =>
        before.Flags == after.Flags && before.IsPlain
        && before.PhysBlock + before.Blocks == after.PhysBlock
        && (ulong)before.Blocks + after.Blocks <= (before.HasCrc ? (ulong)LakeFormat.ExtentCrcBlocksMax : int.MaxValue);

    private static Extent Parse(TreeKey key, ReadOnlySpan<byte> data)
    {
        if (data.Length >= HeaderBytes)
        {
            ExtentItem item = MemoryMarshal.Read<ExtentItem>(data);
            int crcBytes = (item.Flags & ExtentFlags.Crc) != 0 ? (int)item.Blocks * 4 : 0;
            if (item.Blocks is > 0 and <= int.MaxValue && data.Length == HeaderBytes + crcBytes && CanBe(item.Flags)
                && Extent.FitsItsPack(item.PhysBlock, item.Blocks, item.Flags))
            {
                return new Extent(key.Offset, item.PhysBlock, item.Blocks, item.Flags, item.BirthSeq);
            }
        }

        throw new MetadataCorruptException($"inode {key.Object} has a malformed extent at block {key.Offset}");
    }

    private bool TryGetEndingAt(ulong ino, ulong fileBlock, out Extent extent)
    {
        extent = default;
        if (!tree.TryGetAtOrBefore(Keys.Extent(ino, fileBlock - 1), out TreeKey key, out ReadOnlySpan<byte> data)
            || !Keys.Is(key, ino, ItemType.Extent))
        {
            return false;
        }

        extent = Parse(key, data);
        return extent.FileEnd == fileBlock;
    }

    private ReadOnlySpan<byte> TakeCrcs(ulong ino, in Extent extent)
    {
        if (!extent.HasCrc || !tree.TryGet(Keys.Extent(ino, extent.FileBlock), out ReadOnlySpan<byte> data))
        {
            return default;
        }

        data[HeaderBytes..].CopyTo(_crcs);
        return _crcs.AsSpan(0, data.Length - HeaderBytes);
    }

    private void Write(ulong ino, in Extent extent, ReadOnlySpan<byte> crcs)
    {
        int crcBytes = extent.HasCrc ? (int)extent.Blocks * 4 : 0;
        Span<byte> data = tree.Reserve(Keys.Extent(ino, extent.FileBlock), HeaderBytes + crcBytes);
        WriteHeader(data, extent);
        crcs[..crcBytes].CopyTo(data[HeaderBytes..]);
    }

    private static void WriteHeader(Span<byte> data, in Extent extent)
    {
        var item = new ExtentItem
        {
            PhysBlock = extent.PhysBlock,
            Blocks = extent.Blocks,
            Flags = extent.Flags,
            BirthSeq = extent.BirthSeq,
        };
        MemoryMarshal.Write(data, item);
    }
}
