// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata.Tree;

namespace DeepLake.Metadata.Tables;

/// <summary>Inode records and symlink targets.</summary>
public sealed class InodeTable(BTree tree)
{
    private static readonly int RecordBytes = Unsafe.SizeOf<InodeRecord>();

    public bool TryGet(ulong ino, out InodeRecord record)
    {
        ref readonly InodeRecord found = ref Peek(ino);
        if (Unsafe.IsNullRef(in found))
        {
            record = default;
            return false;
        }

        record = found;
        return true;
    }

    /// <summary>The record where it lies, or a null reference; valid until the next use of the tree.</summary>
    public ref readonly InodeRecord Peek(ulong ino)
    {
        if (!tree.TryGet(Keys.Inode(ino), out ReadOnlySpan<byte> data))
        {
            return ref Unsafe.NullRef<InodeRecord>();
        }

        return ref Checked(ino, data);
    }

    /// <summary>The record to be changed in place, or a null reference; valid until the next use of the tree.</summary>
    public ref InodeRecord Edit(ulong ino)
    {
        if (!tree.TryGetForWrite(Keys.Inode(ino), out Span<byte> data))
        {
            return ref Unsafe.NullRef<InodeRecord>();
        }

        return ref Checked(ino, data);
    }

    public bool Exists(ulong ino) => tree.Contains(Keys.Inode(ino));

    public void Put(in InodeRecord record)
    {
        Span<byte> data = tree.Reserve(Keys.Inode(record.Ino), RecordBytes);
        MemoryMarshal.Write(data, record);
    }

    public void PutLink(ulong ino, ReadOnlySpan<byte> target)
    {
        for (int piece = 0; target.Length > 0; piece++)
        {
            int bytes = Math.Min(target.Length, LakeFormat.LinkPieceBytes);
            tree.Put(Keys.LinkPiece(ino, piece), target[..bytes]);
            target = target[bytes..];
        }
    }

    /// <summary>Copies the symlink target; returns its bytes, or -1 when it is incomplete.</summary>
    public int CopyLink(in InodeRecord record, Span<byte> target)
    {
        int bytes = 0;
        for (int piece = 0; bytes < (int)record.LinkBytes; piece++)
        {
            if (!tree.TryGet(Keys.LinkPiece(record.Ino, piece), out ReadOnlySpan<byte> data)
                || bytes + data.Length > (int)record.LinkBytes)
            {
                return -1;
            }

            data.CopyTo(target[bytes..]);
            bytes += data.Length;
        }

        return bytes;
    }

    public void Delete(in InodeRecord record)
    {
        int pieces = ((int)record.LinkBytes + LakeFormat.LinkPieceBytes - 1) / LakeFormat.LinkPieceBytes;
        for (int piece = 0; piece < pieces; piece++)
        {
            tree.Delete(Keys.LinkPiece(record.Ino, piece));
        }

        tree.Delete(Keys.Inode(record.Ino));
    }

    /// <summary>The first inode with that number or a higher one.</summary>
    public bool TryNext(ulong ino, out InodeRecord record)
    {
        record = default;
        if (!tree.TryGetAtOrAfter(Keys.Inode(ino), out TreeKey key, out ReadOnlySpan<byte> data)
            || key.Type != (uint)ItemType.Inode || key.Offset != 0)
        {
            return false;
        }

        record = Checked(key.Object, data);
        return true;
    }

    public void AddOrphan(ulong ino) => tree.Put(Keys.Orphan(ino), default);

    public bool RemoveOrphan(ulong ino) => tree.Delete(Keys.Orphan(ino));

    /// <summary>The first orphan with a number above <paramref name="after"/>.</summary>
    public bool TryNextOrphan(ulong after, out ulong ino)
    {
        ino = 0;
        if (after == ulong.MaxValue
            || !tree.TryGetAtOrAfter(Keys.Orphan(after + 1), out TreeKey key, out _)
            || !Keys.Is(key, ObjectIds.Orphans, ItemType.Orphan))
        {
            return false;
        }

        ino = key.Offset;
        return true;
    }

    private static ref InodeRecord Checked(ulong ino, ReadOnlySpan<byte> data)
    {
        if (data.Length != RecordBytes)
        {
            throw new MetadataCorruptException($"the record of inode {ino} has {data.Length} bytes");
        }

        ref InodeRecord record = ref Unsafe.As<byte, InodeRecord>(ref MemoryMarshal.GetReference(data));
        if (record.Ino != ino || record.LinkBytes > LakeFormat.SymlinkMax)
        {
            throw new MetadataCorruptException($"the record of inode {ino} contradicts itself");
        }

        return ref record;
    }
}
