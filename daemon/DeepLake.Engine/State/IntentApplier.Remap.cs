// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Metadata.Tables;
using DeepLake.Platform;

namespace DeepLake.Engine.State;

/// <summary>The same bytes of a file at another place: in a pack, or on the device again.</summary>
internal sealed partial class IntentApplier
{
    private void Remap(ReadOnlySpan<byte> entry)
    {
        IntentRemap intent = Read<IntentRemap>(entry);
        var moved = new Extent(intent.FileBlock, intent.PhysBlock, intent.Blocks, intent.Flags, _seq);
        if (!FileType.IsRegular(PeekInode(intent.Ino).Mode) || intent.FileBlock > FileBlocksMax || !CanBeMoved(moved)
            || !IsAllChecked(intent.Ino, intent.FileBlock, intent.Blocks) || !TryTake(moved))
        {
            Fault($"remap intent {_seq} of inode {intent.Ino} is impossible: {intent.FileBlock}+{intent.Blocks} at {intent.PhysBlock}, flags {intent.Flags:x}");
        }

        state.Extents.Punch(intent.Ino, intent.FileBlock, intent.Blocks, this);
        CountSealed(moved.Blocks, 0, moved.Flags);
        CountMapped(moved.Blocks, moved.Flags);
        state.Extents.Insert(intent.Ino, moved, default);
        EditInode(intent.Ino);
    }

    private bool CanBeMoved(in Extent moved)
    {
        const uint marks = ExtentFlags.Sealed | ExtentFlags.Checked;
        uint most = moved.IsPacked ? LakeFormat.PackBlocks : LakeRing.RemapBlocksMax;
        return moved.Blocks > 0 && moved.Blocks <= most && (moved.Flags & marks) == marks && ExtentTable.CanBe(moved.Flags)
            && !moved.IsSkewed && Extent.FitsItsPack(moved.PhysBlock, moved.Blocks, moved.Flags)
            && state.Space.Contains(moved.DeviceBlock, moved.DeviceBlocks);
    }

    /// <summary>Free blocks are in use from now on; a pack that others refer to has a reference more.</summary>
    private bool TryTake(in Extent moved)
    {
        if (moved.IsPacked && state.Space.CountUsed(moved.DeviceBlock, moved.DeviceBlocks) == moved.DeviceBlocks)
        {
            if (!Planted.Is(PlantedFault.RemapForgetsAReference))
            {
                AddReferences(moved.DeviceBlock, moved.DeviceBlocks);
            }

            return true;
        }

        if (!state.Space.MarkUsed(moved.DeviceBlock, moved.DeviceBlocks))
        {
            return false;
        }

        state.Counters.PackBlocks += moved.IsPacked ? moved.DeviceBlocks : 0;
        return true;
    }

    private bool IsAllChecked(ulong ino, ulong fileBlock, ulong blocks)
    {
        ulong at = fileBlock;
        while (at < fileBlock + blocks)
        {
            if (!state.Extents.TryGetAt(ino, at, out Extent extent) || extent.FileBlock > at || !extent.IsChecked)
            {
                return false;
            }

            at = extent.FileEnd;
        }

        return true;
    }
}
