// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.Ingest;
using DeepLake.Metadata.Tables;
using DeepLake.Platform;

namespace DeepLake.Engine;

/// <summary>What the ingest wants to know; on the engine's thread, reads only.</summary>
public sealed partial class LakeEngine
{
    /// <summary>
    /// Checksums in the tree say something about blocks that were mapped after this seq
    /// (docs/on-disk-format.md). After an unclean end and before the next mount: about none.
    /// </summary>
    public ulong EvidenceAfter => WasClean || _hasBegunEpoch ? _state.Counters.UncleanSeq : AppliedSeq;

    /// <summary>Files whose data changed since they were last taken.</summary>
    public ChangedFiles Changes => _applier.Changes;

    /// <summary>
    /// The map of a file from the first block on that is mapped at or after <paramref name="fileBlock"/>, up
    /// to so many blocks. Null when nothing is mapped there, or there is no such file.
    /// </summary>
    public SealView? LookForSeal(ulong ino, ulong fileBlock, uint blocks)
    {
        if (!TryGetFile(ino, out InodeRecord inode) || !_state.Extents.TryGetAt(ino, fileBlock, out Extent first))
        {
            return null;
        }

        ulong start = Math.Max(fileBlock, first.FileBlock);
        var pieces = new List<SealPiece>();
        for (ulong at = start; _requests.TryGetPiece(ino, at, out Extent piece) && piece.FileBlock < start + blocks; at = piece.FileEnd)
        {
            pieces.Add(PieceOf(ino, piece, start + blocks));
        }

        return new SealView
        {
            Ino = ino,
            Generation = inode.Generation,
            AppliedSeq = AppliedSeq,
            UncleanSeq = _state.Counters.UncleanSeq,
            MetadataIsFull = MetadataIsFull,
            FileBlock = start,
            Blocks = blocks,
            Pieces = pieces,
        };
    }

    /// <summary>
    /// Looks through the inodes from <paramref name="ino"/> on, so many of them, for files that the ingest has
    /// something to do with: data that is not checked, no identity that holds, an equal file elsewhere.
    /// Returns where to go on; <see cref="ulong.MaxValue"/> at the end.
    /// </summary>
    public ulong FindUnfinished(ulong ino, int inodes, List<ulong> into)
    {
        for (; inodes > 0; inodes--)
        {
            if (!_state.Inodes.TryNext(ino, out InodeRecord inode))
            {
                return ulong.MaxValue;
            }

            ino = inode.Ino + 1;
            if (FileType.IsRegular(inode.Mode) && inode.Nlink > 0 && inode.Blocks > 0
                && (HasUnchecked(inode.Ino) || LacksIdentity(inode) || FindEqual(inode.Ino) is not null))
            {
                into.Add(inode.Ino);
            }
        }

        return ino;
    }

    private bool LacksIdentity(in InodeRecord inode) =>
        ObjectTable.IsWorthIt(inode.Size, inode.Blocks)
        && !(_state.Objects.TryGet(inode.Ino, out ObjectItem item) && ObjectTable.Holds(item, inode));

    private bool HasUnchecked(ulong ino)
    {
        // a fragmented file is looked at closely when it is its turn
        const int looks = 16;
        ulong at = 0;
        for (int i = 0; i < looks; i++)
        {
            if (!_state.Extents.TryGetAt(ino, at, out Extent extent))
            {
                return false;
            }

            if (!extent.IsUnwritten && !extent.IsChecked)
            {
                return true;
            }

            at = extent.FileEnd;
        }

        return true;
    }

    private SealPiece PieceOf(ulong ino, in Extent piece, ulong end)
    {
        uint blocks = (uint)Math.Min(piece.Blocks, end - piece.FileBlock);
        uint[] crcs = [];
        if (piece.HasCrc && _state.Extents.TryGetAt(ino, piece.FileBlock, out Extent whole))
        {
            crcs = _state.Extents.CrcsOf(ino, whole).Slice((int)(piece.FileBlock - whole.FileBlock), (int)blocks).ToArray();
        }

        return new SealPiece(piece.FileBlock, piece.PhysBlock, blocks, piece.Flags, piece.BirthSeq, crcs);
    }
}
