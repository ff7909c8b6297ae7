// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics.CodeAnalysis;
using DeepLake.Abi;
using DeepLake.Metadata.Tables;
using DeepLake.Platform;

namespace DeepLake.Engine.State;

/// <summary>Ranges of files that are equal map the same blocks of the device.</summary>
internal sealed partial class IntentApplier
{
    /// <summary>
    /// A range of a file, which is equal to so many bytes of another one, maps that one's blocks from now on. Its
    /// bytes stay what they are, so its data seq does, too.
    /// </summary>
    private void Share(ReadOnlySpan<byte> entry)
    {
        IntentShare intent = Read<IntentShare>(entry);
        ulong first = intent.SrcPos / LakeFormat.BlockSize;
        bool isAligned = intent.SrcPos % LakeFormat.BlockSize == 0;
        if (!FileType.IsRegular(PeekInode(intent.SrcIno).Mode) || !FileType.IsRegular(PeekInode(intent.DstIno).Mode)
            || intent.SrcIno == intent.DstIno || intent.Blocks is 0 or > LakeRing.CloneBlocksMax
            || intent.DstBlock > FileBlocksMax || first > FileBlocksMax
            || HasUnchecked(intent.DstIno, intent.DstBlock, intent.Blocks) || HasUnchecked(intent.SrcIno, first, intent.Blocks))
        {
            FaultShare(intent);
        }

        Extent skewed = isAligned ? default : ExtentAt(intent);
        ulong removed = state.Extents.Punch(intent.DstIno, intent.DstBlock, intent.Blocks, this);
        bool counts = !Planted.Is(PlantedFault.ShareForgetsAReference);
        ulong added = isAligned
            ? CopyExtents(intent.SrcIno, first, intent.DstIno, intent.DstBlock, intent.Blocks, counts)
            : AddChecked(intent.DstIno, skewed, counts);
        EditInode(intent.SrcIno);
        ref InodeRecord inode = ref EditInode(intent.DstIno);
        inode.Blocks = inode.Blocks - removed + added;
    }

    /// <summary>
    /// The extent that the destination gets of bytes of the source that begin within a block. These are checked and
    /// lie together on the device: in one extent, or in such as continue each other there, which the kernel may
    /// have as one.
    /// </summary>
    private Extent ExtentAt(in IntentShare intent)
    {
        ulong at = intent.SrcPos / LakeFormat.BlockSize;
        if (!state.Extents.TryGetAt(intent.SrcIno, at, out Extent extent) || extent.FileBlock > at || !extent.IsChecked || extent.IsPacked)
        {
            FaultShare(intent);
        }

        ulong begin = extent.FirstByte + (intent.SrcPos - (extent.FileBlock * LakeFormat.BlockSize));
        ulong birthSeq = extent.BirthSeq;
        ulong last = at + intent.Blocks; // some of the block behind so many is needed, too
        while (extent.FileEnd <= last)
        {
            Extent before = extent;
            if (!state.Extents.TryGetAt(intent.SrcIno, before.FileEnd, out extent) || extent.FileBlock != before.FileEnd || !extent.IsChecked || extent.IsPacked
                || extent.FirstByte != before.FirstByte + ((ulong)before.Blocks * LakeFormat.BlockSize))
            {
                FaultShare(intent);
            }
        }

        ulong skew = (Planted.Is(PlantedFault.ShareTakesTheWrongSkew) ? intent.SrcPos : begin) % LakeFormat.BlockSize;
        uint flags = ExtentFlags.Sealed | ExtentFlags.Checked | ((uint)skew << ExtentFlags.SkewShift);
        return new Extent(intent.DstBlock, begin / LakeFormat.BlockSize, (uint)intent.Blocks, flags, birthSeq);
    }

    private ulong AddChecked(ulong ino, in Extent extent, bool counts)
    {
        if (counts)
        {
            AddReferences(extent.PhysBlock, Planted.Is(PlantedFault.SkewedLastBlockNotReferenced) ? extent.Blocks : extent.DeviceBlocks);
        }

        CountSealed(extent.Blocks, 0, extent.Flags);
        CountMapped(extent.Blocks, extent.Flags);
        state.Extents.Insert(ino, extent, default);
        return extent.Blocks;
    }

    private bool HasUnchecked(ulong ino, ulong fileBlock, ulong blocks)
    {
        ulong end = fileBlock + blocks;
        for (ulong at = fileBlock; state.Extents.TryGetAt(ino, at, out Extent extent) && extent.FileBlock < end; at = extent.FileEnd)
        {
            if (!extent.IsUnwritten && !extent.IsChecked)
            {
                return true;
            }
        }

        return false;
    }

    [DoesNotReturn]
    private void FaultShare(in IntentShare intent) => Fault(
        $"share intent {_seq} is impossible: {intent.Blocks} blocks from byte {intent.SrcPos} of inode {intent.SrcIno} to {intent.DstIno}:{intent.DstBlock}");
}
