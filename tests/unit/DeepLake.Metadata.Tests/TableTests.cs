// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using DeepLake.Abi;
using DeepLake.Metadata.Tables;
using DeepLake.Metadata.Tree;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Metadata.Tests;

[TestFixture]
public sealed class TableTests
{
    private MemoryPageStore _store = null!;
    private BTree _tree = null!;
    private NameHash _hash;

    [SetUp]
    public void SetUp()
    {
        _store = MemoryPageStore.Open(new MemoryPageMedium(1 << 20), null);
        _tree = BTree.CreateEmpty(_store, 512);
        _hash = new NameHash("0123456789abcdef"u8);
    }

    [TearDown]
    public void TearDown()
    {
        _tree.Dispose();
        _store.Dispose();
    }

    [Test]
    public void NameHash_IsSipHash13()
    {
        // SipHash-1-3 of the bytes 0..14 with the key 0..15
        byte[] key = [.. Enumerable.Range(0, 16).Select(i => (byte)i)];
        byte[] data = [.. Enumerable.Range(0, 15).Select(i => (byte)i)];
        var hash = new NameHash(key);
        Assert.That(hash.Compute(default), Is.EqualTo(0xabac0158050fc4dcul));
        Assert.That(hash.Compute(data), Is.Not.EqualTo(hash.Compute(data.AsSpan(0, 14))));
    }

    [Test]
    public void Directory_FindsListsRetargetsAndRemovesNames()
    {
        var table = new DirectoryTable(_tree, _hash);
        for (ulong i = 1; i <= 500; i++)
        {
            byte[] name = Encoding.UTF8.GetBytes($"name{i}");
            table.Add(1, name, table.HashOf(name), new DirectoryEntry(1000 - i, 100 + i, 8));
        }

        Assert.That(table.TryFind(1, "name77"u8, out DirectoryEntry entry), Is.True);
        Assert.That(entry, Is.EqualTo(new DirectoryEntry(923, 177, 8)));
        Assert.That(table.TryFind(1, "name501"u8, out _), Is.False);
        Assert.That(table.TryFind(2, "name77"u8, out _), Is.False);
        table.Retarget(1, entry, 9999, 4);
        Assert.That(table.TryGetParent(9999, out ulong parent) && parent == 1, Is.True);
        Assert.That(table.TryGetParent(177, out _), Is.False);
        Assert.That(table.TryFind(1, "name77"u8, out entry) && entry.Ino == 9999, Is.True);
        table.Remove(1, table.HashOf("name77"u8), entry);
        Assert.That(table.TryFind(1, "name77"u8, out _), Is.False);

        List<(ReplyDirent Entry, string Name)> listed = List(table, 1, 1000);
        Assert.That(listed, Has.Count.EqualTo(499));
        Assert.That(listed.Select(l => l.Entry.Cookie), Is.Ordered.And.Unique);
        Assert.That(listed.Select(l => l.Name), Is.EqualTo(listed.Select(l => $"name{1000 - l.Entry.Cookie}")));
    }

    [TestCase(24 + 8, 1)]
    [TestCase(24 + 256, 1)]
    [TestCase(1000, 1)]
    [TestCase(100_000, 1)]
    [TestCase(100_000, 17)]
    public void AListing_HasEveryEntryOnce_WhateverIsNear_AndClearsItsPadding(int room, int step)
    {
        var table = new DirectoryTable(_tree, _hash);
        var expected = new List<(ulong Cookie, string Name)>();
        for (ulong cookie = 1; cookie < 3000; cookie += (ulong)step)
        {
            // neighbours in the tree: the directories before and behind, and other items of the same one
            foreach (ulong dir in new ulong[] { 4, 5, 6 })
            {
                string name = room == 24 + 8 ? $"{cookie}" : new string((char)('a' + (cookie % 26)), (int)(cookie % 251)) + cookie;
                byte[] bytes = Encoding.UTF8.GetBytes(name);
                table.Add(dir, bytes, table.HashOf(bytes), new DirectoryEntry(cookie, 100 + cookie, (byte)(dir + 2)));
                if (dir == 5)
                {
                    expected.Add((cookie, name));
                }
            }
        }

        _tree.Put(new TreeKey(5, (uint)ItemType.Dirent - 1, 7), new byte[900]);
        _tree.Put(new TreeKey(5, (uint)ItemType.Dirent + 1, 7), new byte[900]);
        List<(ReplyDirent Entry, string Name)> listed = List(table, 5, room);
        Assert.That(listed.Select(l => (l.Entry.Cookie, l.Name)), Is.EqualTo(expected));
        Assert.That(listed.Select(l => l.Entry.Type), Is.All.EqualTo(7));
        Assert.That(listed.Select(l => l.Entry.Ino), Is.EqualTo(expected.Select(e => 100 + e.Cookie)));
        Assert.That(table.CopyEntries(5, ulong.MaxValue, new byte[1000], out bool more), Is.Zero);
        Assert.That(more, Is.False);
        Assert.That(table.CopyEntries(5, 0, new byte[24], out more), Is.Zero);
        Assert.That(more, Is.True);
    }

    [TestCase(2000ul, 1)]
    [TestCase(950ul, 3)]
    public void AMovedLink_KeepsTheOtherLinksOfItsInode(ulong newCookie, int links)
    {
        var table = new DirectoryTable(_tree, _hash);
        for (ulong i = 0; i < (ulong)links; i++)
        {
            byte[] name = Encoding.UTF8.GetBytes($"name{i}");
            table.Add(1, name, table.HashOf(name), new DirectoryEntry(900 + (100 * i), 100, 8));
        }

        Assert.That(table.TryFind(1, "name0"u8, out DirectoryEntry entry), Is.True);
        table.RemoveEntry(1, table.HashOf("name0"u8), entry);
        table.AddEntry(2, "moved"u8, table.HashOf("moved"u8), entry with { Cookie = newCookie });
        table.MoveParent(entry, 2, newCookie);
        Assert.That(table.TryFind(1, "name0"u8, out _), Is.False);
        Assert.That(table.TryFind(2, "moved"u8, out entry), Is.True);
        Assert.That(entry, Is.EqualTo(new DirectoryEntry(newCookie, 100, 8)));
        table.Remove(2, table.HashOf("moved"u8), entry);
        int left = 0;
        while (table.TryGetParent(100, out ulong dir))
        {
            Assert.That(dir, Is.EqualTo(1ul));
            (ReplyDirent found, string text) = List(table, 1, 1000)[0];
            table.Remove(1, table.HashOf(Encoding.UTF8.GetBytes(text)), new DirectoryEntry(found.Cookie, found.Ino, found.Type));
            left++;
        }

        Assert.That(left, Is.EqualTo(links - 1));
    }

    private static List<(ReplyDirent Entry, string Name)> List(DirectoryTable table, ulong dir, int room)
    {
        var listed = new List<(ReplyDirent, string)>();
        byte[] buffer = new byte[room];
        ulong after = 0;
        bool more = true;
        while (more)
        {
            buffer.AsSpan().Fill(0xee);
            int bytes = table.CopyEntries(dir, after, buffer, out more);
            int at = 0;
            while (at < bytes)
            {
                ReplyDirent entry = MemoryMarshal.Read<ReplyDirent>(buffer.AsSpan(at));
                ReadOnlySpan<byte> tail = buffer.AsSpan(at + Unsafe.SizeOf<ReplyDirent>(), entry.Len - Unsafe.SizeOf<ReplyDirent>());
                Assert.That(entry.Len % 8 == 0 && tail.Length - entry.NameBytes < 8 && entry.Pad == 0, Is.True);
                Assert.That(tail[entry.NameBytes..].ContainsAnyExcept((byte)0), Is.False);
                listed.Add((entry, Encoding.UTF8.GetString(tail[..entry.NameBytes])));
                after = entry.Cookie;
                at += entry.Len;
            }

            Assert.That(at, Is.EqualTo(bytes));
            Assert.That(bytes > 0 || !more, Is.True);
        }

        return listed;
    }

    [Test]
    public void Xattrs_OfEverySize_AreSetReplacedListedAndRemoved()
    {
        var table = new XattrTable(_tree, _hash);
        var random = new Random(5);
        var model = new Dictionary<string, byte[]>();
        byte[] buffer = new byte[65536];
        for (int step = 0; step < 600; step++)
        {
            string name = $"user.attr{random.Next(30)}";
            byte[] key = Encoding.UTF8.GetBytes(name);
            if (random.Next(4) == 0)
            {
                Assert.That(table.Remove(5, key), Is.EqualTo(model.Remove(name)));
                continue;
            }

            byte[] value = new byte[random.Next(5) switch { 0 => 0, 1 => 65536, 2 => 1024 - 8 - key.Length, 3 => random.Next(5000), _ => random.Next(64) }];
            random.NextBytes(value);
            Assert.That(table.Set(5, key, value), Is.EqualTo(!model.ContainsKey(name)));
            model[name] = value;
            Assert.That(table.Get(5, key, buffer), Is.EqualTo(value.Length));
            Assert.That(buffer.AsSpan(0, value.Length).SequenceEqual(value), Is.True);
        }

        int bytes = table.List(5, buffer);
        string[] names = Encoding.UTF8.GetString(buffer, 0, bytes).Split('\0', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(names, Is.EquivalentTo(model.Keys));
        Assert.That(table.List(5, buffer.AsSpan(0, bytes - 1)), Is.EqualTo(-1));
        Assert.That(table.Get(6, "user.attr1"u8, buffer), Is.EqualTo(-1));
        table.RemoveAll(5);
        Assert.That(table.List(5, buffer), Is.Zero);
        Assert.That(_tree.TryGetAtOrAfter(default, out _, out _), Is.False);
    }

    [TestCase(1)]
    [TestCase(1024)]
    [TestCase(1025)]
    [TestCase(4095)]
    public void SymlinkTargets_OfEveryLength_ComeBack(int length)
    {
        var table = new InodeTable(_tree);
        byte[] target = new byte[length];
        new Random(length).NextBytes(target);
        var record = new InodeRecord { Ino = 20, LinkBytes = (uint)length };
        table.Put(record);
        table.PutLink(20, target);
        byte[] back = new byte[length];
        Assert.That(table.TryGet(20, out InodeRecord read), Is.True);
        Assert.That(table.CopyLink(read, back), Is.EqualTo(length));
        Assert.That(back, Is.EqualTo(target));
        table.Delete(read);
        Assert.That(_tree.TryGetAtOrAfter(default, out _, out _), Is.False);
    }
}
