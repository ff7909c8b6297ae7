// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata.Tree;

namespace DeepLake.Metadata.Tables;

/// <summary>
/// Directory entries: by name hash for look-ups, by cookie for readdir, and the links back from an
/// inode to its directories.
/// </summary>
public sealed class DirectoryTable(BTree tree, NameHash hash)
{
    private const int DirentBytes = 16;
    private readonly byte[] _cookies = new byte[BTree.MaxItemBytes];

    public bool TryFind(ulong dir, ReadOnlySpan<byte> name, out DirectoryEntry entry)
    {
        entry = default;
        if (!tree.TryGet(Keys.DirName(dir, hash.Compute(name)), out ReadOnlySpan<byte> data))
        {
            return false;
        }

        int count = CopyCookies(data);
        for (int i = 0; i < count; i++)
        {
            ulong cookie = MemoryMarshal.Read<ulong>(_cookies.AsSpan(i * 8));
            if (!tree.TryGet(Keys.Dirent(dir, cookie), out ReadOnlySpan<byte> dirent))
            {
                throw new MetadataCorruptException($"directory {dir} lacks the entry with cookie {cookie}");
            }

            if (NameOf(dir, dirent).SequenceEqual(name))
            {
                entry = Entry(cookie, dirent);
                return true;
            }
        }

        return false;
    }

    public void Add(ulong dir, ReadOnlySpan<byte> name, ulong cookie, ulong ino, byte type)
    {
        Span<byte> dirent = tree.Reserve(Keys.Dirent(dir, cookie), DirentBytes + name.Length);
        dirent.Clear();
        MemoryMarshal.Write(dirent, ino);
        dirent[8] = type;
        dirent[9] = (byte)name.Length;
        name.CopyTo(dirent[DirentBytes..]);

        TreeKey key = Keys.DirName(dir, hash.Compute(name));
        int count = tree.TryGet(key, out ReadOnlySpan<byte> data) ? CopyCookies(data) : 0;
        if ((count + 1) * 8 > _cookies.Length)
        {
            throw new MetadataCorruptException($"directory {dir} has {count} names of one hash");
        }

        MemoryMarshal.Write(_cookies.AsSpan(count * 8), cookie);
        tree.Put(key, _cookies.AsSpan(0, (count + 1) * 8));
        tree.Put(Keys.Parent(ino, cookie), BitConverter.GetBytes(dir));
    }

    public void Remove(ulong dir, ReadOnlySpan<byte> name, in DirectoryEntry entry)
    {
        tree.Delete(Keys.Dirent(dir, entry.Cookie));
        tree.Delete(Keys.Parent(entry.Ino, entry.Cookie));
        TreeKey key = Keys.DirName(dir, hash.Compute(name));
        int count = tree.TryGet(key, out ReadOnlySpan<byte> data) ? CopyCookies(data) : 0;
        int kept = 0;
        for (int i = 0; i < count; i++)
        {
            ulong cookie = MemoryMarshal.Read<ulong>(_cookies.AsSpan(i * 8));
            if (cookie != entry.Cookie)
            {
                MemoryMarshal.Write(_cookies.AsSpan(kept++ * 8), cookie);
            }
        }

        if (kept == 0)
        {
            tree.Delete(key);
        }
        else
        {
            tree.Put(key, _cookies.AsSpan(0, kept * 8));
        }
    }

    /// <summary>The entry keeps its name and cookie and now names another inode.</summary>
    public void Retarget(ulong dir, in DirectoryEntry entry, ulong ino, byte type)
    {
        if (!tree.TryGetForWrite(Keys.Dirent(dir, entry.Cookie), out Span<byte> dirent))
        {
            throw new MetadataCorruptException($"directory {dir} lacks the entry with cookie {entry.Cookie}");
        }

        MemoryMarshal.Write(dirent, ino);
        dirent[8] = type;
        tree.Delete(Keys.Parent(entry.Ino, entry.Cookie));
        tree.Put(Keys.Parent(ino, entry.Cookie), BitConverter.GetBytes(dir));
    }

    /// <summary>
    /// The first entry with a cookie above <paramref name="after"/>; <paramref name="name"/> is
    /// valid until the next use of the tree.
    /// </summary>
    public bool TryNext(ulong dir, ulong after, out DirectoryEntry entry, out ReadOnlySpan<byte> name)
    {
        entry = default;
        name = default;
        if (after == ulong.MaxValue
            || !tree.TryGetAtOrAfter(Keys.Dirent(dir, after + 1), out TreeKey key, out ReadOnlySpan<byte> dirent)
            || !Keys.Is(key, dir, ItemType.Dirent))
        {
            return false;
        }

        name = NameOf(dir, dirent);
        entry = Entry(key.Offset, dirent);
        return true;
    }

    /// <summary>A directory an inode is linked in (its only one if it is a directory).</summary>
    public bool TryGetParent(ulong ino, out ulong dir)
    {
        dir = 0;
        if (!tree.TryGetAtOrAfter(Keys.Parent(ino, 0), out TreeKey key, out ReadOnlySpan<byte> data)
            || !Keys.Is(key, ino, ItemType.Parent) || data.Length != 8)
        {
            return false;
        }

        dir = MemoryMarshal.Read<ulong>(data);
        return true;
    }

    private static DirectoryEntry Entry(ulong cookie, ReadOnlySpan<byte> dirent) =>
        new(cookie, MemoryMarshal.Read<ulong>(dirent), dirent[8]);

    private static ReadOnlySpan<byte> NameOf(ulong dir, ReadOnlySpan<byte> dirent)
    {
        if (dirent.Length <= DirentBytes || dirent.Length != DirentBytes + dirent[9])
        {
            throw new MetadataCorruptException($"directory {dir} has a malformed entry");
        }

        return dirent[DirentBytes..];
    }

    private int CopyCookies(ReadOnlySpan<byte> data)
    {
        data.CopyTo(_cookies);
        return data.Length / 8;
    }
}
