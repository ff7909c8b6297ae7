// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata.Tree;

namespace DeepLake.Metadata.Tables;

/// <summary>
/// Directory entries: by name hash for look-ups, by cookie for readdir, and the links back from an
/// inode to its directories.
/// </summary>
public sealed partial class DirectoryTable(BTree tree, NameHash hash)
{
    private const int DirentBytes = 16;
    private readonly byte[] _cookies = new byte[BTree.MaxItemBytes];

    public ulong HashOf(ReadOnlySpan<byte> name) => hash.Compute(name);

    public bool TryFind(ulong dir, ReadOnlySpan<byte> name, out DirectoryEntry entry) =>
        TryFind(dir, name, hash.Compute(name), out entry);

    /// <param name="dir">The directory.</param>
    /// <param name="name">The name looked for.</param>
    /// <param name="nameHash"><see cref="HashOf"/> the name.</param>
    /// <param name="entry">What was found.</param>
    public bool TryFind(ulong dir, ReadOnlySpan<byte> name, ulong nameHash, out DirectoryEntry entry)
    {
        entry = default;
        if (!tree.TryGet(Keys.DirName(dir, nameHash), out ReadOnlySpan<byte> data))
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

    public void Add(ulong dir, ReadOnlySpan<byte> name, ulong nameHash, in DirectoryEntry entry)
    {
        AddEntry(dir, name, nameHash, entry);
        MemoryMarshal.Write(tree.Reserve(Keys.Parent(entry.Ino, entry.Cookie), sizeof(ulong)), dir);
    }

    public void Remove(ulong dir, ulong nameHash, in DirectoryEntry entry)
    {
        RemoveEntry(dir, nameHash, entry);
        RemoveParent(entry);
    }

    /// <summary>The link back alone, without the name.</summary>
    public void RemoveParent(in DirectoryEntry entry) => tree.Delete(Keys.Parent(entry.Ino, entry.Cookie));

    /// <summary>
    /// One link of an inode is renamed: between <see cref="RemoveEntry"/> of the old name and
    /// <see cref="AddEntry"/> of the new one or after both.
    /// </summary>
    public void MoveParent(in DirectoryEntry entry, ulong newDir, ulong newCookie)
    {
        TreeKey parent = Keys.Parent(entry.Ino, newCookie);
        if (!tree.TryRekey(Keys.Parent(entry.Ino, entry.Cookie), parent))
        {
            tree.Delete(Keys.Parent(entry.Ino, entry.Cookie));
        }

        MemoryMarshal.Write(tree.Reserve(parent, sizeof(ulong)), newDir);
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
        RemoveParent(entry);
        MemoryMarshal.Write(tree.Reserve(Keys.Parent(ino, entry.Cookie), sizeof(ulong)), dir);
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

    /// <summary>The name alone, without the link back.</summary>
    public void AddEntry(ulong dir, ReadOnlySpan<byte> name, ulong nameHash, in DirectoryEntry entry)
    {
        Span<byte> dirent = tree.Reserve(Keys.Dirent(dir, entry.Cookie), DirentBytes + name.Length);
        MemoryMarshal.Write(dirent, entry.Ino);
        MemoryMarshal.Write(dirent[8..], (ulong)entry.Type | ((ulong)name.Length << 8));
        name.CopyTo(dirent[DirentBytes..]);

        TreeKey key = Keys.DirName(dir, nameHash);
        if (!tree.TryGet(key, out ReadOnlySpan<byte> data))
        {
            MemoryMarshal.Write(tree.Reserve(key, sizeof(ulong)), entry.Cookie);
            return;
        }

        int count = CopyCookies(data);
        if ((count + 1) * 8 > _cookies.Length)
        {
            throw new MetadataCorruptException($"directory {dir} has {count} names of one hash");
        }

        MemoryMarshal.Write(_cookies.AsSpan(count * 8), entry.Cookie);
        tree.Put(key, _cookies.AsSpan(0, (count + 1) * 8));
    }

    /// <summary>The name alone, without the link back.</summary>
    public void RemoveEntry(ulong dir, ulong nameHash, in DirectoryEntry entry)
    {
        tree.Delete(Keys.Dirent(dir, entry.Cookie));
        TreeKey key = Keys.DirName(dir, nameHash);
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
            tree.DeleteFound(key);
        }
        else
        {
            tree.Put(key, _cookies.AsSpan(0, kept * 8));
        }
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
