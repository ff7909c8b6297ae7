// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Metadata.Tables;
using DeepLake.Metadata.Tree;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Metadata.Tests;

/// <summary>Objects of files, and the names that contents have.</summary>
[TestFixture]
public sealed class ObjectTableTests
{
    private MemoryPageStore _store = null!;
    private BTree _tree = null!;

    [SetUp]
    public void Open()
    {
        _store = MemoryPageStore.Open(new MemoryPageMedium(1 << 20), null);
        _tree = BTree.CreateEmpty(_store, 256);
    }

    [TearDown]
    public void Close()
    {
        _tree.Dispose();
        _store.Dispose();
    }

    [Test]
    public void AnObject_IsWhatWasPutLast_UntilItIsDeleted()
    {
        var objects = new ObjectTable(_tree);
        Assert.That(objects.TryGet(7, out _), Is.False);
        Assert.That(objects.Put(7, Object(1, size: 10)), Is.True);
        Assert.That(objects.Put(7, Object(2, size: 20)), Is.False);
        Assert.That(objects.TryGet(7, out ObjectItem item));
        Assert.That((item.Id[0], item.Id[31], item.Size, item.DataSeq), Is.EqualTo(((byte)2, (byte)2, 20ul, 5ul)));
        Assert.That(objects.TryGet(6, out _), Is.False);
        objects.Delete(7);
        Assert.That(objects.TryGet(7, out _), Is.False);
    }

    [Test]
    public void AnIdentity_GoesWithTheFileThatItNames_AndWithNoOther()
    {
        var identities = new IdentityTable(_tree);
        ObjectItem item = Object(3, size: 1);
        ulong prefix = IdentityTable.PrefixOf(item.Id);
        Assert.That(prefix, Is.EqualTo(0x0303030303030303ul));
        identities.Put(prefix, 7);
        identities.Put(prefix, 9);
        identities.Delete(prefix, 7);
        Assert.That(identities.TryGet(prefix, out ulong ino));
        Assert.That(ino, Is.EqualTo(9ul));
        identities.Delete(prefix, 9);
        Assert.That(identities.TryGet(prefix, out _), Is.False);
    }

    [Test]
    public void MalformedItems_AreCorruption()
    {
        _tree.Put(new TreeKey(7, (uint)ItemType.Object, 0), new byte[47]);
        _tree.Put(new TreeKey(ObjectIds.Identities, (uint)ItemType.Identity, 5), new byte[4]);
        Assert.That(() => new ObjectTable(_tree).TryGet(7, out _), Throws.InstanceOf<MetadataCorruptException>());
        Assert.That(() => new IdentityTable(_tree).TryGet(5, out _), Throws.InstanceOf<MetadataCorruptException>());
    }

    [TestCase(0ul, 1ul, false)]
    [TestCase(1ul, 0ul, false)]
    [TestCase(1ul, 1ul, true)]
    [TestCase(1ul << 30, 1ul, true)]
    [TestCase(1ul << 40, 1ul, false)]
    [TestCase(1ul << 40, 1ul << 23, true)]
    [TestCase(ulong.MaxValue / 2, 1ul << 30, false)]
    public void WhatIsHardlyAnythingButHoles_IsNotWorthAnIdentity(ulong size, ulong blocks, bool isWorthIt) =>
        Assert.That(ObjectTable.IsWorthIt(size, blocks), Is.EqualTo(isWorthIt));

    private static ObjectItem Object(byte value, ulong size)
    {
        var item = new ObjectItem { Size = size, DataSeq = 5 };
        ((Span<byte>)item.Id).Fill(value);
        return item;
    }
}
