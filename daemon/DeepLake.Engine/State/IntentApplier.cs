// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata.Tables;
using DeepLake.Platform;

namespace DeepLake.Engine.State;

/// <summary>
/// Applies intents to the state: deterministic, complete, and checked against the state first. Every
/// impossibility is an <see cref="IntentFaultException"/>. See docs/ring-protocol.md.
/// </summary>
internal sealed partial class IntentApplier(LakeState state) : IFreedBlocks
{
    private ulong _seq;
    private ulong _keptBlocks;

    /// <summary>Applies one whole entry (header included). Daemon entries (WAL_OP_*) as well.</summary>
    public void Apply(ReadOnlySpan<byte> entry)
    {
        IntentHeader header = Read<IntentHeader>(entry);
        if (header.Len != entry.Length || (entry.Length & 7) != 0 || header.Flags != 0)
        {
            Fault($"an intent of {entry.Length} bytes says it has {header.Len}");
        }

        _seq = header.Seq == 0 ? state.Counters.AppliedSeq : header.Seq;
        state.Tree.Seq = _seq;
        switch (header.Op)
        {
            case IntentOp.Create: Create(entry); break;
            case IntentOp.Link: Link(entry); break;
            case IntentOp.Unlink: Unlink(entry); break;
            case IntentOp.Rename: Rename(entry); break;
            case IntentOp.Setattr: SetAttributes(entry); break;
            case IntentOp.Xattr: ChangeXattr(entry); break;
            case IntentOp.Map: Map(entry); break;
            case IntentOp.Unmap: Unmap(entry); break;
            case IntentOp.Overwrite: Overwrite(entry); break;
            case IntentOp.Release: Release(entry); break;
            case IntentOp.Clone: Clone(entry); break;
            case IntentOp.Shift: Shift(entry); break;
            case IntentOp.Seal or IntentOp.Checked or IntentOp.Unseal: Seal(entry, header.Op); break;
            case IntentOp.Share: Share(entry); break;
            case IntentOp.Remap: Remap(entry); break;
            case IntentOp.WalObject when header.Seq == 0: PutObject(entry); break;
            case IntentOp.WalArchive when header.Seq == 0: ChangeArchive(entry); break;
            case IntentOp.WalScrub when header.Seq == 0: PutScrub(entry); break;
            case IntentOp.WalEpoch: BeginEpoch(entry); break;
            case IntentOp.WalClean: break;
            default: Fault($"intent {_seq} has the unknown operation {(ushort)header.Op}"); break;
        }

        if (header.Seq != 0)
        {
            state.Counters.AppliedSeq = header.Seq;
        }
    }

    /// <summary>Blocks of files that have left packs, ever.</summary>
    public ulong PackedBlocksLost { get; private set; }

    public void Unmapped(ulong blocks, uint flags)
    {
        CountMapped(blocks, flags, isLess: true);
        PackedBlocksLost += (flags & ExtentFlags.Packed) != 0 ? blocks : 0;
        if ((flags & ExtentFlags.Sealed) != 0)
        {
            SealedLeft(blocks, flags);
        }
    }

    /// <summary>
    /// Blocks lose a reference. With their last one they are free in the state and held until this
    /// intent is durable; with the last but one they stay marked as shared as long.
    /// </summary>
    public void Freed(ulong physBlock, ulong blocks, uint flags)
    {
        if (!state.Space.Contains(physBlock, blocks))
        {
            Fault($"blocks {physBlock}+{blocks} are freed but are no data blocks");
        }

        while (blocks > 0)
        {
            uint left = 0;
            ulong piece = state.Counters.SharedBlocks == 0
                ? blocks
                : state.Shared.DropPiece(
                    physBlock, blocks, out left, ref state.Counters.SharedBlocks, ref state.Counters.SavedBlocks);
            if (left == 0 && !state.Space.MarkFreed(physBlock, piece, _seq))
            {
                Fault($"blocks {physBlock}+{piece} are freed but were not in use");
            }

            if (left == 0 && (flags & ExtentFlags.Packed) != 0)
            {
                state.Counters.PackBlocks -= piece;
            }

            if (left == 1 && !Planted.Is(PlantedFault.UnsharedBlocksForgotten))
            {
                state.Space.MarkUnshared(physBlock, piece, _seq);
            }

            physBlock += piece;
            blocks -= piece;
        }
    }

    /// <summary>Blocks that a new map has where the old one had them: they stay in use.</summary>
    public void Kept(ulong physBlock, ulong blocks, uint flags)
    {
        if ((flags & ExtentFlags.Sealed) != 0)
        {
            Fault($"intent {_seq} maps sealed blocks {physBlock}+{blocks} where they are already");
        }

        _keptBlocks += blocks;
    }

    public void CutWithin(ulong physBlock, ulong blocks)
    {
        if (!Planted.Is(blocks == 1 ? PlantedFault.CutSkewedExtentForgetsAReference : PlantedFault.CutPackedExtentForgetsItsReferences))
        {
            AddReferences(physBlock, blocks);
        }
    }

    /// <summary>Blocks come into the map of a file, or leave it.</summary>
    private void CountMapped(ulong blocks, uint flags, bool isLess = false)
    {
        ulong more = isLess ? 0 - blocks : blocks;
        state.Counters.MappedBlocks += more;
        state.Counters.PackedBlocks += (flags & ExtentFlags.Packed) != 0 ? more : 0;
    }

    /// <summary>Another extent refers to these blocks of the device.</summary>
    private void AddReferences(ulong physBlock, ulong blocks) =>
        state.Shared.Add(physBlock, blocks, ref state.Counters.SharedBlocks, ref state.Counters.SavedBlocks);

    [DoesNotReturn]
    private static void Fault(string message) => throw new IntentFaultException(message);

    private static ref readonly T Read<T>(ReadOnlySpan<byte> entry)
        where T : unmanaged
    {
        if (entry.Length < Unsafe.SizeOf<T>())
        {
            Fault($"an intent of {entry.Length} bytes is too short");
        }

        return ref Unsafe.As<byte, T>(ref MemoryMarshal.GetReference(entry));
    }

    /// <summary>Cuts a variable part (padded to 8) off the rest of an entry.</summary>
    private static ReadOnlySpan<byte> TakePadded(ref ReadOnlySpan<byte> rest, int bytes)
    {
        int padded = (bytes + 7) & ~7;
        if (bytes < 0 || padded > rest.Length)
        {
            Fault($"an intent says it has {bytes} more bytes, it has {rest.Length}");
        }

        ReadOnlySpan<byte> part = rest[..bytes];
        rest = rest[padded..];
        return part;
    }

    private static ReadOnlySpan<byte> TakeName(ref ReadOnlySpan<byte> rest, int bytes)
    {
        ReadOnlySpan<byte> name = TakePadded(ref rest, bytes);
        if (name.IsEmpty || name.Length > LakeFormat.NameMax || name.ContainsAny((byte)0, (byte)'/')
            || name.SequenceEqual("."u8) || name.SequenceEqual(".."u8))
        {
            Fault("an intent carries an impossible name");
        }

        return name;
    }

    /// <summary>The record of an inode; like every reference into the tree, valid until its next use.</summary>
    private ref readonly InodeRecord PeekInode(ulong ino)
    {
        ref readonly InodeRecord record = ref state.Inodes.Peek(ino);
        if (Unsafe.IsNullRef(in record))
        {
            FaultNoInode(ino);
        }

        return ref record;
    }

    private ref readonly InodeRecord PeekDirectory(ulong ino)
    {
        ref readonly InodeRecord record = ref PeekInode(ino);
        if (!FileType.IsDirectory(record.Mode))
        {
            Fault($"intent {_seq} uses inode {ino} as a directory");
        }

        return ref record;
    }

    /// <summary>The record of an inode, to be changed in place by this intent.</summary>
    private ref InodeRecord EditInode(ulong ino)
    {
        ref InodeRecord record = ref state.Inodes.Edit(ino);
        if (Unsafe.IsNullRef(in record))
        {
            FaultNoInode(ino);
        }

        record.LastSeq = _seq;
        return ref record;
    }

    [DoesNotReturn]
    private void FaultNoInode(ulong ino) => Fault($"intent {_seq} names inode {ino}, which does not exist");

    private void PutInode(ref InodeRecord record)
    {
        record.LastSeq = _seq;
        state.Inodes.Put(record);
    }

    private DirectoryEntry FindEntry(ulong dir, ReadOnlySpan<byte> name, ulong ino, out ulong nameHash)
    {
        nameHash = state.Directories.HashOf(name);
        if (!state.Directories.TryFind(dir, name, nameHash, out DirectoryEntry entry) || entry.Ino != ino)
        {
            Fault($"intent {_seq}: directory {dir} does not hold inode {ino} under that name");
        }

        return entry;
    }

    private void BeginEpoch(ReadOnlySpan<byte> entry)
    {
        WalEpoch epoch = Read<WalEpoch>(entry);
        if (epoch.Epoch <= state.Counters.Epoch)
        {
            Fault($"epoch {epoch.Epoch} begins after epoch {state.Counters.Epoch}");
        }

        state.Counters.Epoch = epoch.Epoch;
        if (epoch.Unclean != 0)
        {
            state.Counters.UncleanSeq = _seq;
        }

        while (!Planted.Is(PlantedFault.OrphansNotReaped) && state.Inodes.TryNextOrphan(0, out ulong ino))
        {
            Destroy(PeekInode(ino));
        }
    }
}
