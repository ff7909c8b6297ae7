// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;
using DeepLake.Storage.Faster;
using NUnit.Framework;

namespace DeepLake.Storage.Tests;

/// <summary>
/// Writes that a device acknowledged and lost. What is in their place was written there a lap of the log before,
/// by a store before this one, or by a log that a crash gave up: whole records of pages that were right then.
/// </summary>
[TestFixture]
public sealed class FasterLostWriteTests
{
    private const int Pages = 300;
    private const int Versions = 30; // two laps of the log and more

    private MemoryBlockDevice _device = null!;

    [SetUp]
    public void SetUp() => _device = new MemoryBlockDevice(FasterSetup.DeviceBytes);

    [TearDown]
    public void TearDown() => _device.Dispose();

    [Test]
    public void WhatALapBeforeLeftInThePlaceOfALostWrite_IsNeverRead([Values(1, 4, 16, 64)] int sectors)
    {
        using FasterPageStore store = Open(null);
        CheckpointTicket before = Write(store, 1, Versions - 1);
        byte[] old = LogBytes();
        LoseEach(old, sectors * 4096, Write(store, Versions, Versions), before);
    }

    [Test]
    public void WhatAnotherStoreLeftInThePlaceOfALostWrite_IsNeverRead([Values(1, 4, 16)] int sectors)
    {
        using (FasterPageStore store = Open(null))
        {
            Write(store, 1, 3);
        }
        byte[] old = LogBytes();
        using FasterPageStore another = Open(null);
        CheckpointTicket before = Write(another, 4, 5);
        LoseEach(old, sectors * 4096, Write(another, 6, 6), before);
    }

    /// <summary>After a crash the log goes on where the checkpoint ended, over what had been written behind it.</summary>
    [Test]
    public void WhatAGivenUpLogLeftInThePlaceOfALostWrite_IsNeverRead([Values(1, 4, 16)] int sectors)
    {
        CheckpointTicket before;
        using (FasterPageStore store = Open(null))
        {
            before = Write(store, 1, 2);
            WriteAll(store, 3);
            WriteAll(store, 4);
        }
        byte[] old = LogBytes();
        using FasterPageStore successor = Open(before);
        LoseEach(old, sectors * 4096, Write(successor, 5, 5), before);
    }

    /// <summary>
    /// The sector that a checkpoint ends in is of both logs, and a page that is changed a little ends as it did before:
    /// what of its record is in other sectors is the same.
    /// </summary>
    [Test]
    public void WhatAGivenUpLogLeftInTheSectorThatTheCheckpointEndsIn_IsNeverRead()
    {
        CheckpointTicket before;
        byte[] page = TestPages.Make(7, 2);
        using (FasterPageStore store = Open(null))
        {
            WriteAll(store, 1);
            store.Write(0, TestPages.Make(0, 1)); // at the beginning of a FASTER page
            before = store.Checkpoint();
            store.Write(7, page);
            WriteAll(store, 3);
            WriteAll(store, 4);
        }
        long end = StoreTicket.Decode(before).TailAddress;
        Assert.That(end % 4096, Is.InRange(8, 4096 - 200));
        byte[] old = LogBytes();
        page[100]++;
        using FasterPageStore successor = Open(before);
        successor.Write(7, page);
        CheckpointTicket last = successor.Checkpoint();
        int sector = (int)(end / 4096 * 4096);
        _device.Write(old.AsSpan(sector, 4096), FasterSetup.Geometry.LogStart + sector);
        var found = new byte[4096];
        var failure = Assert.Throws<StorageException>(() =>
        {
            using FasterPageStore store = Open(last, before);
            store.TryRead(7, found);
        });
        Assert.That(failure!.IsCorruption, Is.True, failure.Message);
        using FasterPageStore older = Open(before);
        Assert.That(older.TryRead(7, found) && IsVersion(found, 7, 1), Is.True, "what was before it is as it was");
    }

    /// <summary>A ticket tells so many openings apart; what more of them write is read all the same.</summary>
    [Test]
    public void ManyOpenings_OfALogThatIsNotCleaned_AreRead()
    {
        CheckpointTicket? ticket = null;
        for (int version = 1; version <= 2 * LogMask.MaxSalts; version++)
        {
            using FasterPageStore store = Open(ticket);
            for (ulong id = 0; id < 3; id++)
            {
                store.Write(id, TestPages.Make(id, version));
            }
            ticket = store.Checkpoint();
            Assert.That(StoreTicket.Decode(ticket).Salts, Has.Count.EqualTo(Math.Min(version, LogMask.MaxSalts)));
        }
        using FasterPageStore last = Open(ticket);
        var page = new byte[4096];
        for (ulong id = 0; id < 3; id++)
        {
            Assert.That(last.TryRead(id, page) && IsVersion(page, id, 2 * LogMask.MaxSalts), Is.True, $"page {id}");
        }
    }

    /// <summary>What is cleaned takes its salts with it.</summary>
    [Test]
    public void SaltsOfWhatIsCleaned_AreForgotten()
    {
        CheckpointTicket? ticket = null;
        for (int version = 1; version <= Versions; version++)
        {
            using FasterPageStore store = Open(ticket);
            ticket = Write(store, version, version);
        }
        Assert.That(StoreTicket.Decode(ticket!).Salts, Has.Count.LessThan(Versions / 2));
    }

    private FasterPageStore Open(CheckpointTicket? ticket, CheckpointTicket? before = null) =>
        FasterPageStore.Open(_device, FasterSetup.Geometry, ticket, FasterSetup.TinyMemory with { Before = before });

    private static CheckpointTicket Write(FasterPageStore store, int from, int to)
    {
        CheckpointTicket ticket = null!;
        for (int version = from; version <= to; version++)
        {
            WriteAll(store, version);
            while (store.CompactSlice(100) > 0)
            {
            }
            ticket = store.Checkpoint();
        }
        return ticket;
    }

    private static void WriteAll(FasterPageStore store, int version)
    {
        for (ulong id = 0; id < Pages; id++)
        {
            store.Write(id * 7919 % Pages, TestPages.Make(id * 7919 % Pages, version));
        }
    }

    // Each piece of the log that has changed, put back as it was: nearly all of it is of the newest pages.
    private void LoseEach(byte[] old, int bytes, CheckpointTicket ticket, CheckpointTicket before)
    {
        byte[] now = LogBytes();
        int version = Newest(ticket);
        int lost = 0;
        int noticed = 0;
        for (int at = 0; at < now.Length; at += bytes)
        {
            ReadOnlySpan<byte> whole = now.AsSpan(at, bytes);
            if (whole.SequenceEqual(old.AsSpan(at, bytes)))
            {
                continue;
            }
            lost++;
            _device.Write(old.AsSpan(at, bytes), FasterSetup.Geometry.LogStart + at);
            noticed += IsNoticed(ticket, before, version, at) ? 1 : 0;
            _device.Write(whole, FasterSetup.Geometry.LogStart + at);
        }
        TestContext.Out.WriteLine($"{lost} lost, {noticed} noticed");
        Assert.That(noticed, Is.GreaterThanOrEqualTo(Pages * 4096 / bytes));
    }

    private bool IsNoticed(CheckpointTicket ticket, CheckpointTicket before, int version, int at)
    {
        try
        {
            using FasterPageStore store = Open(ticket, before);
            var page = new byte[4096];
            for (ulong id = 0; id < Pages; id++)
            {
                Assert.That(store.TryRead(id, page), Is.True, $"page {id}, with what was lost at byte {at} of the log");
                Assert.That(IsVersion(page, id, version), Is.True, $"page {id}, with what was lost at byte {at} of the log");
            }
            return false;
        }
        catch (StorageException failure)
        {
            Assert.That(failure.IsCorruption, Is.True, failure.Message);
            return true;
        }
    }

    private int Newest(CheckpointTicket ticket)
    {
        using FasterPageStore store = Open(ticket);
        var page = new byte[4096];
        Assert.That(store.TryRead(0, page), Is.True);
        return Enumerable.Range(1, Versions).Last(version => IsVersion(page, 0, version));
    }

    private static bool IsVersion(byte[] page, ulong id, int version) =>
        page.AsSpan(4).SequenceEqual(TestPages.Make(id, version).AsSpan(4));

    private byte[] LogBytes()
    {
        var bytes = new byte[FasterSetup.Geometry.LogBytes];
        _device.Read(bytes, FasterSetup.Geometry.LogStart);
        return bytes;
    }
}
