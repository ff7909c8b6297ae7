// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Metadata.Tables;
using DeepLake.Platform;

namespace DeepLake.Engine.State;

/// <summary>What the contents of files are, and files that are equal.</summary>
internal sealed partial class IntentApplier
{
    /// <summary>The daemon's own entry: the content of a file has been given its identity.</summary>
    private void PutObject(ReadOnlySpan<byte> entry)
    {
        ref readonly WalObject put = ref Read<WalObject>(entry);
        ref readonly InodeRecord inode = ref PeekInode(put.Ino);
        if (!FileType.IsRegular(inode.Mode) || !ObjectTable.Holds(put.Object, inode))
        {
            Fault($"after intent {_seq} the identity of inode {put.Ino} is of {put.Object.Size} bytes as of {put.Object.DataSeq}, which it has not");
        }

        RemoveIdentity(put.Ino);
        state.Counters.Objects += state.Objects.Put(put.Ino, put.Object) ? 1ul : 0ul;
        state.Identities.Put(IdentityTable.PrefixOf(put.Object.Id), put.Ino);
    }

    /// <summary>The end of the inode.</summary>
    private void RemoveObject(ulong ino)
    {
        if (state.Counters.Objects == 0 || !state.Objects.TryGet(ino, out _))
        {
            return;
        }

        RemoveIdentity(ino);
        state.Objects.Delete(ino);
        state.Counters.Objects--;
    }

    private void RemoveIdentity(ulong ino)
    {
        if (state.Objects.TryGet(ino, out ObjectItem old) && !Planted.Is(PlantedFault.IdentityOutlivesItsObject))
        {
            state.Identities.Delete(IdentityTable.PrefixOf(old.Id), ino);
        }
    }

    /// <summary>
    /// A range of a file, which is equal to that of another one, maps that one's blocks from now on. Its
    /// bytes stay what they are, so its data seq does, too.
    /// </summary>
    private void Share(ReadOnlySpan<byte> entry)
    {
        IntentShare intent = Read<IntentShare>(entry);
        if (!FileType.IsRegular(PeekInode(intent.SrcIno).Mode) || !FileType.IsRegular(PeekInode(intent.DstIno).Mode)
            || intent.SrcIno == intent.DstIno || intent.Blocks is 0 or > LakeRing.CloneBlocksMax || intent.FileBlock > FileBlocksMax
            || HasUnchecked(intent.SrcIno, intent) || HasUnchecked(intent.DstIno, intent))
        {
            Fault($"share intent {_seq} is impossible: {intent.FileBlock}+{intent.Blocks} from {intent.SrcIno} to {intent.DstIno}");
        }

        ulong removed = state.Extents.Punch(intent.DstIno, intent.FileBlock, intent.Blocks, this);
        ulong added = CopyExtents(
            intent.SrcIno, intent.FileBlock, intent.DstIno, intent.FileBlock, intent.Blocks,
            counts: !Planted.Is(PlantedFault.ShareForgetsAReference));
        EditInode(intent.SrcIno);
        ref InodeRecord inode = ref EditInode(intent.DstIno);
        inode.Blocks = inode.Blocks - removed + added;
    }

    private bool HasUnchecked(ulong ino, in IntentShare intent)
    {
        ulong end = intent.FileBlock + intent.Blocks;
        for (ulong at = intent.FileBlock; state.Extents.TryGetAt(ino, at, out Extent extent) && extent.FileBlock < end; at = extent.FileEnd)
        {
            if (!extent.IsUnwritten && !extent.IsChecked)
            {
                return true;
            }
        }

        return false;
    }
}
