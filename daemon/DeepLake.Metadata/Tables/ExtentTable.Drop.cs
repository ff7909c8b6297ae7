// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata.Tree;

namespace DeepLake.Metadata.Tables;

/// <summary>Checksums of what was written in place.</summary>
public sealed partial class ExtentTable
{
    // So many ranges in a row that were not in the leaf of the one before: they are in no order.
    private const int ElsewhereMost = 4;

    private enum InLeaf
    {
        Done,
        Sealed,
        Elsewhere,
    }

    /// <summary>
    /// The checksums of these ranges no longer hold, as <see cref="DropCrcs(ulong, ulong, ulong)"/> has it. Ranges
    /// that are near the one before them cost little.
    /// </summary>
    public bool DropCrcs(ulong ino, ReadOnlySpan<BlockRange> ranges)
    {
        TreePage leaf = default;
        int index = -1;
        int elsewhere = 0;
        foreach (ref readonly BlockRange range in ranges)
        {
            if (index >= 0)
            {
                InLeaf found = DropInLeaf(leaf, ref index, ino, range);
                if (found == InLeaf.Sealed)
                {
                    return false;
                }

                elsewhere = found == InLeaf.Done ? 0 : elsewhere + 1;
                if (found == InLeaf.Done)
                {
                    continue;
                }
            }

            if (!DropCrcs(ino, range.Start, range.Count))
            {
                return false;
            }

            index = -1;
            if (elsewhere < ElsewhereMost)
            {
                leaf = tree.LeafOf(Keys.Extent(ino, range.Start), out index);
                index = Math.Min(index, leaf.Count - 1);
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
                CrcsIn(data, extent, from, to).Fill(LakeFormat.CrcUnknown);
            }
        }

        return true;
    }

    /// <summary>Only for a range within one extent, which is not all of it, in the leaf that the tree found last.</summary>
    private InLeaf DropInLeaf(TreePage leaf, ref int index, ulong ino, in BlockRange range)
    {
        int at = index;
        while (at + 1 < leaf.Count && IsAtOrBefore(leaf, at + 1, ino, range.Start))
        {
            at++;
        }

        while (at >= 0 && !IsAtOrBefore(leaf, at, ino, range.Start))
        {
            at--;
        }

        if (at < 0)
        {
            return InLeaf.Elsewhere;
        }

        index = at;
        Extent extent = Parse(leaf.Key(at), leaf.Data(at));
        if (range.Start >= extent.FileEnd || range.Count > extent.FileEnd - range.Start)
        {
            return InLeaf.Elsewhere;
        }

        if (extent.IsSealed)
        {
            return range.Count == 0 ? InLeaf.Done : InLeaf.Sealed;
        }

        if (!extent.HasCrc)
        {
            return InLeaf.Done;
        }

        if (range.Count == extent.Blocks)
        {
            return InLeaf.Elsewhere;
        }

        tree.MarkChanged(leaf);
        CrcsIn(leaf.WritableData(at), extent, range.Start, range.Start + range.Count).Fill(LakeFormat.CrcUnknown);
        return InLeaf.Done;
    }

    private static bool IsAtOrBefore(TreePage leaf, int index, ulong ino, ulong fileBlock) =>
        leaf.IsAt(index, ino, (uint)ItemType.Extent) && leaf.Offset(index) <= fileBlock;

    private static Span<uint> CrcsIn(Span<byte> data, in Extent extent, ulong from, ulong to) =>
        MemoryMarshal.Cast<byte, uint>(data[HeaderBytes..])[(int)(from - extent.FileBlock)..(int)(to - extent.FileBlock)];
}
