// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Metadata.Tables;
using DeepLake.Platform;

namespace DeepLake.Engine.State;

/// <summary>What the contents of files are.</summary>
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
}
