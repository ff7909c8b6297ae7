// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.Ingest;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>The anchor table as it is kept on the device: hints, and none where a page is not whole.</summary>
[TestFixture]
public sealed class AnchorTableTests
{
    private const ulong Pages = 4;
    private const ulong Start = 3;
    private const int Block = LakeFormat.BlockSize;

    private MemoryBlockDevice _device = null!;
    private AnchorTable _table = null!;
    private int _transfers;

    [SetUp]
    public void Open()
    {
        _device = new MemoryBlockDevice(1 << 20);
        byte[] garbage = new byte[1 << 20];
        new Random(1).NextBytes(garbage);
        _device.Write(garbage, 0);
        _table = OpenTable(uuid: 1);
        _transfers = 0;
    }

    [TearDown]
    public void Close()
    {
        _table.Dispose();
        _device.Dispose();
    }

    [Test]
    public void ATableThatWasNeverWritten_HasNone()
    {
        Assert.That(Find(Of(0, 1), Of(3, 7)), Is.EqualTo(new[] { 0ul, 0ul }));
    }

    [Test]
    public void WhatIsPending_IsFound_AndWhatIsStored()
    {
        _table.Put(Of(1, 5), 20, 4711);
        _table.Put(Of(3, 5), 21, 1ul << 60);
        Assert.That(Find(Of(3, 5), Of(1, 5), Of(1, 6)), Is.EqualTo(new[] { 21ul, 20ul, 0ul }));
        Store();
        Assert.That(_table.Pending, Is.Zero);
        using AnchorTable other = OpenTable(uuid: 1);
        AnchorItem[] found = new AnchorItem[3];
        other.Find([Of(3, 5), Of(1, 5), Of(1, 6)], found);
        Assert.That(found.Select(f => (f.Ino, f.Pos)), Is.EqualTo(new[] { (21ul, 1ul << 60), (20ul, 4711ul), (0ul, 0ul) }));
    }

    [Test]
    public void TheSameFingerprint_IsReplacedInPlace()
    {
        for (ulong i = 0; i < 170; i++)
        {
            _table.Put(Of(2, i), 100 + i, i);
        }

        Store();
        _table.Put(Of(2, 9), 7, 7);
        Assert.That(Find(Of(2, 9)), Is.EqualTo(new[] { 7ul }), "before it is stored, too");
        Store();
        for (ulong i = 0; i < 170; i++)
        {
            Assert.That(Find(Of(2, i)), Is.EqualTo(new[] { i == 9 ? 7ul : 100 + i }));
        }
    }

    [Test]
    public void AFullPage_LosesTheOldest_OneForEach()
    {
        for (ulong i = 0; i < 400; i++)
        {
            _table.Put(Of(2, i), 1 + i, i);
            Store();
        }

        ulong[] found = Find([.. Enumerable.Range(0, 400).Select(i => Of(2, (ulong)i))]);
        Assert.That(found.Take(230), Is.All.Zero);
        Assert.That(found.Skip(230), Is.EqualTo(Enumerable.Range(230, 170).Select(i => (ulong)i + 1)));
    }

    [Test]
    public void ADamagedPage_IsEmpty_AndTheOthersAreNot([Values(0, 5, 6, 8, 17, 24 * 100)] int at)
    {
        Fill();
        Change(Start + 1, at, 1);
        ulong[] found = Find(Of(0, 1), Of(1, 1), Of(2, 1), Of(3, 1));
        Assert.That(found, Is.EqualTo(new[] { 30ul, 0ul, 32ul, 33ul }));
        _table.Put(Of(1, 2), 50, 0);
        Store();
        Assert.That(Find(Of(1, 1), Of(1, 2)), Is.EqualTo(new[] { 0ul, 50ul }));
    }

    [Test]
    public void ATornPage_IsEmpty()
    {
        Fill();
        byte[] old = new byte[512];
        _device.Read(old, (long)(Start + 1) * Block);
        for (ulong i = 2; i < 100; i++)
        {
            _table.Put(Of(1, i), 9, 9);
        }

        Store();
        _device.Write(old, (long)(Start + 1) * Block);
        Assert.That(Find(Of(1, 1), Of(1, 2), Of(0, 1)), Is.EqualTo(new[] { 0ul, 0ul, 30ul }));
    }

    [Test]
    public void PagesOfAnotherLake_OrPlace_AreEmpty()
    {
        Fill();
        using AnchorTable other = OpenTable(uuid: 2);
        AnchorItem[] found = new AnchorItem[1];
        other.Find([Of(0, 1)], found);
        Assert.That(found[0].Ino, Is.Zero);
        byte[] page = new byte[Block];
        _device.Read(page, (long)Start * Block);
        _device.Write(page, (long)(Start + 1) * Block);
        Assert.That(Find(Of(1, 1), Of(0, 1)), Is.EqualTo(new[] { 0ul, 30ul }));
    }

    [Test]
    public void APage_IsReadAndWrittenOnce_ForAllThatComesToIt()
    {
        for (ulong i = 0; i < 100; i++)
        {
            _table.Put(Of(i % Pages, i), 9, 9);
        }

        Store();
        Assert.That(_transfers, Is.EqualTo(2 * (int)Pages));
        _transfers = 0;
        Find([.. Enumerable.Range(0, 100).Select(i => Of((ulong)i % Pages, (ulong)i))]);
        Assert.That(_transfers, Is.EqualTo((int)Pages));
    }

    [Test]
    public void SomeOfIt_CanBeStored_WhileMoreComes()
    {
        for (ulong i = 0; i < AnchorTable.PendingMost; i++)
        {
            _table.Put(i * (ulong.MaxValue / AnchorTable.PendingMost), 9, i);
        }

        Assert.That(_table.IsFull);
        Assert.That(_table.Store(1), Is.True);
        Assert.That(_table.IsFull, Is.False);
        _table.Put(Of(0, 1), 1, 1);
        _table.Put(Of(3, 1), 2, 2);
        Store();
        Assert.That(Find(Of(0, 1), Of(3, 1)), Is.EqualTo(new[] { 1ul, 2ul }));
    }

    private void Fill()
    {
        for (ulong i = 0; i < Pages; i++)
        {
            _table.Put(Of(i, 1), 30 + i, i);
        }

        Store();
    }

    private void Store()
    {
        while (_table.Store(1))
        {
        }
    }

    private ulong[] Find(params ulong[] fingerprints)
    {
        AnchorItem[] found = new AnchorItem[fingerprints.Length];
        _table.Find(fingerprints, found);
        return [.. found.Select(f => f.Ino)];
    }

    private void Change(ulong block, int at, byte by)
    {
        byte[] page = new byte[Block];
        _device.Read(page, (long)block * Block);
        page[at] ^= by;
        _device.Write(page, (long)block * Block);
    }

    /// <summary>A fingerprint whose page is that one.</summary>
    private static ulong Of(ulong page, ulong number) => (page * (ulong.MaxValue / Pages + 1)) + number;

    private AnchorTable OpenTable(byte uuid)
    {
        var superblock = new Superblock { Anchors = new Region { StartBlock = Start, Blocks = Pages } };
        superblock.Uuid[3] = uuid;
        return new AnchorTable(_device, superblock) { Pace = _ => _transfers++ };
    }
}
