// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Platform;

namespace DeepLake.Engine.State;

/// <summary>Collapse and insert range: extents move within their file, no block changes hands.</summary>
internal sealed partial class IntentApplier
{
    private void Shift(ReadOnlySpan<byte> entry)
    {
        ref readonly IntentShift intent = ref Read<IntentShift>(entry);
        bool up = intent.Flags == LakeRing.ShiftUp;
        CheckShift(intent, up);

        ulong moved = state.Extents.Shift(intent.Ino, intent.FileBlock, intent.Blocks, intent.Distance, up, this);
        if (moved > LakeRing.CloneBlocksMax)
        {
            Fault($"shift intent {_seq} of inode {intent.Ino} moves {moved} blocks");
        }

        Touched(intent.Ino);
        ref InodeRecord inode = ref EditInode(intent.Ino);
        inode.DataSeq = _seq;
        inode.Size = intent.Size == 0 ? inode.Size : intent.Size;
        inode.Mtime = intent.Mtime;
        inode.Ctime = intent.Ctime;
    }

    private void CheckShift(in IntentShift intent, bool up)
    {
        if (!FileType.IsRegular(PeekInode(intent.Ino).Mode) || (intent.Flags & ~LakeRing.ShiftUp) != 0 || intent.Pad != 0
            || intent.Blocks is 0 or > FileBlocksMax || intent.Distance is 0 or > FileBlocksMax
            || intent.FileBlock > FileBlocksMax || intent.Size > long.MaxValue
            || (up ? intent.FileBlock + intent.Blocks + intent.Distance > FileBlocksMax : intent.Distance > intent.FileBlock))
        {
            FaultShift(intent);
        }

        // what the range moves to, itself apart
        ulong end = intent.FileBlock + intent.Blocks;
        bool free = up
            ? state.Extents.IsHole(intent.Ino, Math.Max(end, intent.FileBlock + intent.Distance), end + intent.Distance)
            : state.Extents.IsHole(
                intent.Ino, intent.FileBlock - intent.Distance, Math.Min(intent.FileBlock, end - intent.Distance));
        if (!free)
        {
            FaultShift(intent);
        }
    }

    private void FaultShift(in IntentShift intent) => Fault(
        $"shift intent {_seq} of inode {intent.Ino} is impossible: {intent.FileBlock}+{intent.Blocks} by {intent.Distance}, flags {intent.Flags}");
}
