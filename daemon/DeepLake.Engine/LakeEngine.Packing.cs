// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.Ingest;
using DeepLake.Engine.Scrub;
using DeepLake.Hash;
using DeepLake.Metadata.Tables;
using DeepLake.Platform;

namespace DeepLake.Engine;

/// <summary>What packing wants to know, and the blocks it is given; on the engine's thread.</summary>
public sealed partial class LakeEngine : IPackEngine
{
    /// <summary>Blocks of files that have left packs since this engine was opened, or lie in other ones.</summary>
    public ulong PackedBlocksLost => _applier.PackedBlocksLost;

    /// <inheritdoc/>
    public Region DataRegion => _checkpoints.Superblock.Data;

    /// <inheritdoc/>
    public PackCandidate? LookForPack(ulong ino) =>
        TryGetHeld(ino, out InodeRecord inode, out ObjectItem item)
            ? new PackCandidate(inode.DataSeq, item.Size, (item.Flags & ObjectFlags.Packed) != 0)
            : null;

    /// <summary>
    /// Looks through the inodes from <paramref name="ino"/> on, so many of them, for files whose content is known,
    /// that have not been packed, and that nothing has changed since a time. Returns where to go on;
    /// <see cref="ulong.MaxValue"/> at the end.
    /// </summary>
    public ulong FindPackable(ulong ino, int inodes, long unchangedSinceSec, List<ulong> into)
    {
        for (; inodes > 0; inodes--)
        {
            if (!_state.Inodes.TryNext(ino, out InodeRecord inode))
            {
                return ulong.MaxValue;
            }

            ino = inode.Ino + 1;
            if (FileType.IsRegular(inode.Mode) && inode.Ctime.Sec <= unchangedSinceSec && LookForPack(inode.Ino) is { IsPacked: false })
            {
                into.Add(inode.Ino);
            }
        }

        return ino;
    }

    /// <inheritdoc/>
    public bool TryLeasePack(uint blocks, out ulong start)
    {
        // nothing follows the clean mark; a REMAP makes the metadata grow
        if (_checkpoints.Superblock.State != SuperblockState.Active || MetadataIsFull || !_state.Space.TryLeaseRun(blocks, out start))
        {
            start = 0;
            return false;
        }

        _state.Space.Pin(start, blocks);
        return true;
    }

    /// <inheritdoc/>
    public void ReleasePack(ulong start, uint blocks) => _state.Space.Unpin(start, blocks, AppliedSeq);

    /// <inheritdoc/>
    public bool MarkPacked(ulong ino, ulong dataSeq) =>
        TryGetHeld(ino, out InodeRecord inode, out ObjectItem item) && inode.DataSeq == dataSeq
        && PutObject(ino, dataSeq, item.Size, Blake3Hash.Read(item.Id), ObjectFlags.Packed);

    /// <summary>
    /// A part of the search for what refers to any of some windows; where to go on with it. There is no map from
    /// blocks to files: all maps are looked through, once for all windows.
    /// </summary>
    /// <param name="from">Where it begins.</param>
    /// <param name="windows">By their start, none overlapping another.</param>
    /// <param name="into">Gets each reference.</param>
    public ScrubPosition FindUses(ScrubPosition from, SharedWindow[] windows, List<WindowUse> into) =>
        Walk(from, piece =>
        {
            Extent extent = piece.Extent;
            ulong end = extent.DeviceBlock + extent.DeviceBlocks;
            for (int i = FirstEndingAfter(windows, extent.DeviceBlock); i < windows.Length && windows[i].Start < end; i++)
            {
                SharedWindow window = windows[i];
                bool isWhole = extent.IsPlain && extent.IsChecked && extent.DeviceBlock <= window.Start && end >= window.End;
                into.Add(new WindowUse(i, piece.Ino, isWhole ? extent.FileBlock + (window.Start - extent.DeviceBlock) : 0, isWhole));
            }

            return uint.MaxValue;
        });

    /// <summary>
    /// A part of the count of the blocks that files have in the packs of a range of the device; where to go on with it.
    /// What several have, or one several times, counts for each.
    /// </summary>
    /// <param name="from">Where it begins.</param>
    /// <param name="start">The first block of the range.</param>
    /// <param name="live">For each block of the range, if a pack begins there, how many so far; at most 255.</param>
    /// <param name="spans">And how many device blocks that pack has.</param>
    public ScrubPosition CountPacked(ScrubPosition from, ulong start, byte[] live, byte[] spans) =>
        Walk(from, piece =>
        {
            ulong at = piece.Extent.DeviceBlock - start;
            if (piece.Extent.IsPacked && at < (ulong)live.Length)
            {
                live[at] = (byte)Math.Min(live[at] + piece.Extent.Blocks, byte.MaxValue);
                spans[at] = (byte)piece.Extent.DeviceBlocks;
            }

            return uint.MaxValue;
        });

    /// <summary>A part of the search for what files have in some packs; where to go on with it.</summary>
    /// <param name="from">Where it begins.</param>
    /// <param name="packs">Their first device blocks, in order.</param>
    /// <param name="into">Gets each extent.</param>
    public ScrubPosition FindPackUses(ScrubPosition from, ulong[] packs, List<PackUse> into) =>
        Walk(from, piece =>
        {
            Extent extent = piece.Extent;
            if (extent.IsPacked && Array.BinarySearch(packs, extent.DeviceBlock) >= 0)
            {
                into.Add(new PackUse(extent.PhysBlock, extent.Blocks, piece.Ino, extent.FileBlock));
            }

            return uint.MaxValue;
        });

    private static int FirstEndingAfter(SharedWindow[] windows, ulong block)
    {
        int low = 0;
        int high = windows.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = windows[middle].End > block ? (low, middle) : (middle + 1, high);
        }

        return low;
    }
}
