// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata.Tree;

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
            tree.Delete(Keys.Extent(ino, extent.FileBlock));
            if (cutFrom > extent.FileBlock)
            {
                Write(ino, Slice(extent, extent.FileBlock, cutFrom), CrcSlice(extent, crcs, extent.FileBlock, cutFrom));
            }

            if (cutTo < extent.FileEnd)
            {
                Write(ino, Slice(extent, cutTo, extent.FileEnd), CrcSlice(extent, crcs, cutTo, extent.FileEnd));
            }

            ulong phys = extent.PhysBlock + (cutFrom - extent.FileBlock);
            if (keepPhys is null || phys != keepPhys.Value + (cutFrom - fileBlock))
            {
                freed.Freed(phys, cutTo - cutFrom, extent.Flags);
            }
            else
            {
                freed.Kept(phys, cutTo - cutFrom, extent.Flags);
            }

            removed += cutTo - cutFrom;
        }

        return removed;
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

    private static Extent Slice(in Extent extent, ulong from, ulong to) => extent with
    {
        FileBlock = from,
        PhysBlock = extent.PhysBlock + (from - extent.FileBlock),
        Blocks = (uint)(to - from),
    };

    private static ReadOnlySpan<byte> CrcSlice(in Extent extent, ReadOnlySpan<byte> crcs, ulong from, ulong to) =>
        extent.HasCrc ? crcs[((int)(from - extent.FileBlock) * 4)..((int)(to - extent.FileBlock) * 4)] : default;

    private static bool CanJoin(in Extent before, in Extent after) =>
        before.Flags == after.Flags
        && before.PhysBlock + before.Blocks == after.PhysBlock
        && (ulong)before.Blocks + after.Blocks <= (before.HasCrc ? (ulong)LakeFormat.ExtentCrcBlocksMax : int.MaxValue);

    private static Extent Parse(TreeKey key, ReadOnlySpan<byte> data)
    {
        if (data.Length >= HeaderBytes)
        {
            ExtentItem item = MemoryMarshal.Read<ExtentItem>(data);
            int crcBytes = (item.Flags & ExtentFlags.Crc) != 0 ? (int)item.Blocks * 4 : 0;
            if (item.Blocks is > 0 and <= int.MaxValue && data.Length == HeaderBytes + crcBytes && CanBe(item.Flags))
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
