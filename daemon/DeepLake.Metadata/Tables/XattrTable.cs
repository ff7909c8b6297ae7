// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata.Tree;

namespace DeepLake.Metadata.Tables;

/// <summary>
/// Extended attributes. Item offset = (48-bit name hash, 8-bit probe, 8-bit piece); piece 0 begins
/// with struct lakefs_xattr_item and the name, the value runs on through the pieces.
/// </summary>
public sealed class XattrTable(BTree tree, NameHash hash)
{
    private const int HeaderBytes = 8;
    private readonly byte[] _piece = new byte[LakeFormat.XattrPieceBytes];

    /// <summary>Copies the value if it fits; returns its bytes, or -1 when there is no such name.</summary>
    public int Get(ulong ino, ReadOnlySpan<byte> name, Span<byte> value)
    {
        if (!TryLocate(ino, name, out ulong offset, out int bytes))
        {
            return -1;
        }

        if (bytes > value.Length)
        {
            return bytes;
        }

        int done = 0;
        int skip = HeaderBytes + name.Length;
        for (ulong piece = 0; done < bytes || piece == 0; piece++)
        {
            if (!tree.TryGet(Keys.Xattr(ino, offset + piece), out ReadOnlySpan<byte> data)
                || data.Length < skip || data.Length - skip > bytes - done)
            {
                throw new MetadataCorruptException($"a xattr of inode {ino} is incomplete");
            }

            data[skip..].CopyTo(value[done..]);
            done += data.Length - skip;
            skip = 0;
        }

        return bytes;
    }

    /// <summary>Creates or replaces; true when the name is new.</summary>
    public bool Set(ulong ino, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        bool isNew = true;
        if (TryLocate(ino, name, out ulong offset, out int oldBytes))
        {
            isNew = false;
            DeletePieces(ino, offset, name.Length, oldBytes);
        }
        else
        {
            offset = FreeSlot(ino, name);
        }

        var header = new XattrItem { ValueBytes = (uint)value.Length, NameBytes = (ushort)name.Length };
        MemoryMarshal.Write(_piece, header);
        name.CopyTo(_piece.AsSpan(HeaderBytes));
        int used = HeaderBytes + name.Length;
        for (ulong piece = 0; value.Length > 0 || piece == 0; piece++)
        {
            int bytes = Math.Min(value.Length, _piece.Length - used);
            value[..bytes].CopyTo(_piece.AsSpan(used));
            tree.Put(Keys.Xattr(ino, offset + piece), _piece.AsSpan(0, used + bytes));
            value = value[bytes..];
            used = 0;
        }

        return isNew;
    }

    public bool Remove(ulong ino, ReadOnlySpan<byte> name)
    {
        if (!TryLocate(ino, name, out ulong offset, out int bytes))
        {
            return false;
        }

        DeletePieces(ino, offset, name.Length, bytes);
        return true;
    }

    public void RemoveAll(ulong ino)
    {
        while (tree.TryGetAtOrAfter(Keys.Xattr(ino, 0), out TreeKey key, out _) && Keys.Is(key, ino, ItemType.Xattr))
        {
            tree.DeleteFound(key);
        }
    }

    /// <summary>Writes all names, each with its NUL; returns the bytes, or -1 when they do not fit.</summary>
    public int List(ulong ino, Span<byte> target)
    {
        int bytes = 0;
        ulong from = 0;
        while (tree.TryGetAtOrAfter(Keys.Xattr(ino, from), out TreeKey key, out ReadOnlySpan<byte> data)
            && Keys.Is(key, ino, ItemType.Xattr))
        {
            if ((key.Offset & 0xff) == 0)
            {
                ReadOnlySpan<byte> name = NameOf(ino, data);
                if (bytes + name.Length + 1 > target.Length)
                {
                    return -1;
                }

                name.CopyTo(target[bytes..]);
                bytes += name.Length;
                target[bytes++] = 0;
            }

            if (key.Offset >= ulong.MaxValue - 0xff)
            {
                break;
            }

            from = (key.Offset | 0xff) + 1;
        }

        return bytes;
    }

    private static ReadOnlySpan<byte> NameOf(ulong ino, ReadOnlySpan<byte> data)
    {
        if (data.Length >= HeaderBytes)
        {
            XattrItem header = MemoryMarshal.Read<XattrItem>(data);
            if (header.NameBytes > 0 && header.NameBytes <= data.Length - HeaderBytes
                && header.ValueBytes <= LakeFormat.XattrValueMax)
            {
                return data.Slice(HeaderBytes, header.NameBytes);
            }
        }

        throw new MetadataCorruptException($"inode {ino} has a malformed xattr");
    }

    private ulong Slot(ReadOnlySpan<byte> name) => hash.Compute(name) << 16;

    private bool TryLocate(ulong ino, ReadOnlySpan<byte> name, out ulong offset, out int valueBytes)
    {
        ulong slot = Slot(name);
        for (ulong probe = 0; probe < 256; probe++)
        {
            offset = slot | (probe << 8);
            if (!tree.TryGetAtOrAfter(Keys.Xattr(ino, offset), out TreeKey key, out ReadOnlySpan<byte> data)
                || !Keys.Is(key, ino, ItemType.Xattr) || (key.Offset >> 16) != (slot >> 16))
            {
                break;
            }

            probe = (key.Offset >> 8) & 0xff;
            offset = key.Offset;
            if ((key.Offset & 0xff) == 0 && NameOf(ino, data).SequenceEqual(name))
            {
                valueBytes = (int)MemoryMarshal.Read<XattrItem>(data).ValueBytes;
                return true;
            }
        }

        offset = 0;
        valueBytes = 0;
        return false;
    }

    private ulong FreeSlot(ulong ino, ReadOnlySpan<byte> name)
    {
        ulong slot = Slot(name);
        for (ulong probe = 0; probe < 256; probe++)
        {
            if (!tree.Contains(Keys.Xattr(ino, slot | (probe << 8))))
            {
                return slot | (probe << 8);
            }
        }

        throw new MetadataCorruptException($"inode {ino} has 256 xattr names of one hash");
    }

    private void DeletePieces(ulong ino, ulong offset, int nameBytes, int valueBytes)
    {
        int total = HeaderBytes + nameBytes + valueBytes;
        int pieces = Math.Max(1, (total + LakeFormat.XattrPieceBytes - 1) / LakeFormat.XattrPieceBytes);
        for (int piece = 0; piece < pieces; piece++)
        {
            tree.Delete(Keys.Xattr(ino, offset + (ulong)piece));
        }
    }
}
