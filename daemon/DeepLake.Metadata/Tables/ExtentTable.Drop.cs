// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata.Tree;

namespace DeepLake.Metadata.Tables;

/// <summary>Checksums of what was written in place.</summary>
public sealed partial class ExtentTable
{
    /// <summary>
    /// The checksums of these ranges no longer hold, as <see cref="DropCrcs(ulong, ulong, ulong)"/> has it. Ranges
    /// that follow each other within one extent have it looked for once.
    /// </summary>
    /// <remarks>
    /// One method for all ranges of a record, with no calls for each of them: methods called that often are soon
    /// compiled again, which takes longer than what they do, in the middle of programs' work.
    /// </remarks>
    public bool DropCrcs(ulong ino, ReadOnlySpan<BlockRange> ranges)
    {
        Extent extent = default;
        Span<byte> crcs = default;
        foreach (ref readonly BlockRange range in ranges)
        {
            bool isIn = IsIn(range, extent) || TryOpen(ino, range, ref extent, ref crcs);
            if (!isIn || (extent.HasCrc && range.Count == extent.Blocks))
            {
                if (!DropCrcs(ino, range.Start, range.Count))
                {
                    return false;
                }

                extent = default; // the tree was used: it may lie elsewhere now
                continue;
            }

            if (extent.IsSealed)
            {
                return false;
            }

            if (extent.HasCrc)
            {
                int end = (int)(range.Start - extent.FileBlock + range.Count);
                for (int i = end - (int)range.Count; i < end; i++)
                {
                    Unsafe.WriteUnaligned(ref crcs[i * sizeof(uint)], LakeFormat.CrcUnknown);
                }
            }
        }

        return true;
    }

    /// <summary>
    /// The checksums of a range no longer hold. An extent that lies in it has none from then on;
    /// of others the checksums of the range become <see cref="LakeFormat.CrcUnknown"/> where they lie.
    /// False: some of it is sealed, so it cannot have been written in place.
    /// </summary>
    public bool DropCrcs(ulong ino, ulong fileBlock, ulong blocks)
    {
        ulong end = fileBlock + blocks < fileBlock ? ulong.MaxValue : fileBlock + blocks;
        while (fileBlock < end && TryGetAt(ino, fileBlock, out Extent extent) && extent.FileBlock < end)
        {
            ulong from = Math.Max(extent.FileBlock, fileBlock);
            ulong to = Math.Min(extent.FileEnd, end);
            fileBlock = extent.FileEnd;
            if (extent.IsSealed)
            {
                return false;
            }

            if (!extent.HasCrc)
            {
                continue;
            }

            if (from == extent.FileBlock && to == extent.FileEnd)
            {
                Write(ino, extent with { Flags = extent.Flags & ~ExtentFlags.Crc }, default);
            }
            else if (tree.TryGetForWrite(Keys.Extent(ino, extent.FileBlock), out Span<byte> data))
            {
                MemoryMarshal.Cast<byte, uint>(data[HeaderBytes..])
                    .Slice((int)(from - extent.FileBlock), (int)(to - from))
                    .Fill(LakeFormat.CrcUnknown);
            }
        }

        return true;
    }

    /// <summary>Whether all of a range, which is not empty, is in the extent.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsIn(in BlockRange range, in Extent extent) =>
        range.Start - extent.FileBlock < extent.Blocks && range.Count - 1 < extent.FileEnd - range.Start;

    /// <summary>
    /// The extent that holds the range and its checksums, of which some are changed before the next use of the tree.
    /// False: there is none, or it is not in the leaf where a range that begins in the middle of it is looked for.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryOpen(ulong ino, in BlockRange range, ref Extent extent, ref Span<byte> crcs)
    {
        TreeKey key = Keys.Extent(ino, range.Start);
        TreePage leaf = tree.Locate(key, out int index);
        index -= leaf.HasKeyAt(index, key) ? 0 : 1;
        if (index < 0 || !leaf.IsAt(index, ino, (uint)ItemType.Extent))
        {
            return false;
        }

        extent = Parse(leaf.Key(index), leaf.Data(index));
        if (!IsIn(range, extent))
        {
            return false;
        }

        if (extent.HasCrc && !extent.IsSealed)
        {
            tree.MarkChanged(leaf);
            crcs = leaf.WritableData(index)[HeaderBytes..];
        }

        return true;
    }
}
