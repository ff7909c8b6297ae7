// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata.Tables;
using DeepLake.Platform;

namespace DeepLake.Engine.State;

/// <summary>Reflink and dedupe: a range of one file maps the blocks of another.</summary>
internal sealed partial class IntentApplier
{
    private readonly byte[] _cloneCrcs = new byte[LakeFormat.ExtentCrcBlocksMax * 4];

    private void Clone(ReadOnlySpan<byte> entry)
    {
        IntentClone intent = Read<IntentClone>(entry);
        InodeRecord source = PeekInode(intent.SrcIno);
        InodeRecord inode = intent.DstIno == intent.SrcIno ? source : PeekInode(intent.DstIno);
        CheckClone(intent, source, inode);

        ulong removed = state.Extents.Punch(intent.DstIno, intent.DstBlock, intent.Blocks, this);
        ulong added = CopyExtents(intent.SrcIno, intent.SrcBlock, intent.DstIno, intent.DstBlock, intent.Blocks, counts: true);
        inode.Blocks = inode.Blocks - removed + added;
        inode.Size = Math.Max(inode.Size, intent.Size);
        inode.DataSeq = _seq;
        inode.Mtime = intent.Mtime;
        inode.Ctime = intent.Ctime;
        PutInode(ref inode);
        Touched(intent.DstIno);
    }

    private void CheckClone(in IntentClone intent, in InodeRecord source, in InodeRecord target)
    {
        bool overlaps = intent.SrcIno == intent.DstIno
            && intent.SrcBlock < intent.DstBlock + intent.Blocks && intent.DstBlock < intent.SrcBlock + intent.Blocks;
        if (!FileType.IsRegular(source.Mode) || !FileType.IsRegular(target.Mode)
            || intent.Blocks is 0 or > LakeRing.CloneBlocksMax || intent.SrcBlock > FileBlocksMax
            || intent.DstBlock > FileBlocksMax || intent.Size > long.MaxValue || overlaps)
        {
            Fault($"clone intent {_seq} is impossible: {intent.Blocks} blocks from {intent.SrcIno}:{intent.SrcBlock} to {intent.DstIno}:{intent.DstBlock}");
        }
    }

    /// <summary>
    /// Holes and unwritten blocks are left out: the destination was punched. The source keeps its own
    /// reference all the while, so nothing of it can have been freed by the punch.
    /// </summary>
    private ulong CopyExtents(ulong source, ulong first, ulong target, ulong to, ulong count, bool counts)
    {
        ulong end = first + count;
        ulong at = first;
        ulong added = 0;
        while (at < end && state.Extents.TryGetAt(source, at, out Extent extent) && extent.FileBlock < end)
        {
            ulong from = Math.Max(extent.FileBlock, at);
            uint blocks = (uint)(Math.Min(extent.FileEnd, end) - from);
            at = extent.FileEnd;
            if ((extent.Flags & ExtentFlags.Unwritten) != 0)
            {
                continue;
            }

            int skipped = (int)(from - extent.FileBlock);
            ReadOnlySpan<byte> crcs = MemoryMarshal.AsBytes(state.Extents.CrcsOf(source, extent));
            crcs = crcs.IsEmpty ? crcs : crcs.Slice(skipped * 4, (int)blocks * 4);
            crcs.CopyTo(_cloneCrcs);
            Extent copied = extent.Slice(from, from + blocks);
            if (counts)
            {
                AddReferences(copied.DeviceBlock, copied.DeviceBlocks);
            }

            uint flags = Planted.Is(PlantedFault.CloneForgetsTheSeal)
                ? extent.Flags & ~(ExtentFlags.Sealed | ExtentFlags.Checked | ExtentFlags.Packed | ExtentFlags.SkewMask)
                : extent.Flags;
            CountSealed(blocks, 0, flags);
            CountMapped(blocks, flags);
            // it was born when its data was: what the checksums are worth depends on that
            state.Extents.Insert(target, copied with { FileBlock = from - first + to, Flags = flags }, _cloneCrcs.AsSpan(0, crcs.Length));
            added += blocks;
        }

        return added;
    }
}
