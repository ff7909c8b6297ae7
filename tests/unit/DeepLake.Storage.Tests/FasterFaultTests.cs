// SPDX-License-Identifier: MPL-2.0
using System.Buffers.Binary;
using DeepLake.Platform;
using DeepLake.Sim;
using DeepLake.Storage.Faster;
using NUnit.Framework;

namespace DeepLake.Storage.Tests;

/// <summary>Device errors and damaged bytes: nothing is published on top of them, nothing wrong is returned.</summary>
[TestFixture]
public sealed class FasterFaultTests
{
    [Test]
    public void AnErrorAtAnyOperation_LatchesTheStore_AndNoCheckpointFollows()
    {
        long operations = CountOperations();
        Assert.That(operations, Is.GreaterThan(60));
        for (long n = 1; n <= operations; n += 1 + operations / 150)
        {
            var device = new FaultyBlockDevice(new MemoryBlockDevice(FasterSetup.DeviceBytes), seed: 1, new FaultPlan { FailAtOperation = n });
            using FasterPageStore store = FasterPageStore.Open(device, FasterSetup.Geometry, null, FasterSetup.TinyMemory);
            var failure = Assert.Throws<StorageException>(() => Work(store), $"operation {n}");
            Assert.That(failure!.Errno, Is.EqualTo(Errno.EIO));
            Assert.Throws<StorageException>(() => store.Checkpoint());
            Assert.Throws<StorageException>(() => store.TryRead(1, new byte[4096]));
            Assert.Throws<StorageException>(() => store.Write(1, new byte[4096]));
        }
    }

    [Test]
    public void ADamagedPage_IsReported_NeverReturned()
    {
        (MemoryBlockDevice device, CheckpointTicket ticket) = Filled();
        var random = new Random(3);
        int reported = 0;
        for (int trial = 0; trial < 150; trial++)
        {
            long at = FasterSetup.Geometry.LogStart + 4096 + random.NextInt64(2L << 20);
            Flip(device, at);
            try
            {
                using FasterPageStore store = FasterPageStore.Open(device, FasterSetup.Geometry, ticket, FasterSetup.TinyMemory);
                var page = new byte[4096];
                for (ulong id = 0; id < 600; id++)
                {
                    if (store.TryRead(id, page))
                    {
                        Assert.That(page.AsSpan(4).SequenceEqual(TestPages.Make(id, 1).AsSpan(4)), Is.True);
                    }
                }
            }
            catch (StorageException failure)
            {
                Assert.That(failure.IsCorruption, Is.True, failure.Message);
                reported++;
            }
            Flip(device, at);
        }
        Assert.That(reported, Is.GreaterThan(130), "the rest are flips in the unused end of a FASTER page");
    }

    /// <summary>Regression: the log has all that the index has, and the store was refused all the same.</summary>
    [TestCase(0)]
    [TestCase(5000)]
    public void ADamagedIndex_IsMadeAnewFromTheLog(int offset)
    {
        (MemoryBlockDevice device, CheckpointTicket ticket) = Filled();
        Flip(device, FasterSetup.Geometry.IndexSlotAStart + offset);
        using (FasterPageStore store = FasterPageStore.Open(device, FasterSetup.Geometry, ticket, FasterSetup.TinyMemory))
        {
            AssertFilled(store);
            ticket = store.Checkpoint();
        }
        Flip(device, FasterSetup.Geometry.IndexSlotBStart + offset); // the index went where the damaged one was
        using FasterPageStore again = FasterPageStore.Open(device, FasterSetup.Geometry, ticket, FasterSetup.TinyMemory);
        AssertFilled(again);
    }

    /// <summary>Regression: cleaning came to an old version of a page, found it damaged, and the store failed.</summary>
    [Test]
    public void ADamagedVersionThatWasReplaced_DoesNoHarm()
    {
        var device = new MemoryBlockDevice(FasterSetup.DeviceBytes);
        using FasterPageStore store = FasterPageStore.Open(device, FasterSetup.Geometry, null, FasterSetup.TinyMemory);
        for (int version = 1; version < 5; version++) // not enough for writing to clean by itself
        {
            for (ulong id = 0; id < 400; id++)
            {
                store.Write(id, TestPages.Make(id, version));
            }
            store.Checkpoint();
        }
        for (long page = 1; page < 200; page++)
        {
            Flip(device, FasterSetup.Geometry.LogStart + (page * LogLayout.RecordBytes) + 500); // all of the first version
        }
        while (store.CompactSlice(100) > 0)
        {
        }
        var bytes = new byte[4096];
        Assert.That(store.TryRead(3, bytes), Is.True);
        Assert.That(bytes.AsSpan(4).SequenceEqual(TestPages.Make(3, 4).AsSpan(4)), Is.True);
        Assert.That(store.Checkpoint(), Is.Not.Null);
    }

    /// <summary>The index that recovery begins with.</summary>
    public enum Index
    {
        Oldest,
        None,
        Newest,
    }

    /// <summary>
    /// Regression: a block of zeros where a record begins was taken for no record when the log was read; where it
    /// ended the one before, which had been replaced, nobody noticed, and older versions of pages came back.
    /// </summary>
    [Test]
    public void ABlockOfZerosInTheLog_NeverBringsBackAnOlderVersion([Values] Index index)
    {
        using var three = new ThreeVersions(pages: 60, index);
        int refused = 0;
        for (long address = 0; address < three.TailAddress; address += 4096)
        {
            refused += three.IsRefused(address, 4096, block => block.Clear()) ? 1 : 0;
        }
        Assert.That(refused, index == Index.Newest ? Is.GreaterThan(0) : Is.GreaterThan(60));
    }

    /// <summary>Regression: a record that was marked as invalid was taken for none, too.</summary>
    [Test]
    public void AFlagOfARecordThatTurns_NeverBringsBackAnOlderVersion([Values] Index index)
    {
        using var three = new ThreeVersions(pages: 20, index);
        for (int record = 40; record < 60; record++)
        {
            for (int bit = 0; bit < 16; bit++)
            {
                three.IsRefused(three.AddressOf(record), LogLayout.RecordBytes, header => header[6 + (bit / 8)] ^= (byte)(1 << (bit % 8)));
            }
        }
    }

    [Test]
    public void ReadAhead_BringsPagesNear_AndLeavesDamageToTheReads()
    {
        (MemoryBlockDevice inner, CheckpointTicket ticket) = Filled();
        var device = new FaultyBlockDevice(inner, seed: 1);
        using FasterPageStore store = FasterPageStore.Open(device, FasterSetup.Geometry, ticket, FasterSetup.SomeMemory);
        ulong[] ids = [.. Enumerable.Range(0, 150).Select(i => (ulong)i * 3), 100_000];
        store.ReadAhead(ids);
        long reads = device.Reads;
        var page = new byte[4096];
        foreach (ulong id in ids[..^1])
        {
            Assert.That(store.TryRead(id, page), Is.True);
            Assert.That(page.AsSpan(4).SequenceEqual(TestPages.Make(id, 1).AsSpan(4)), Is.True);
        }
        Assert.That(device.Reads, Is.EqualTo(reads), "all were near");
        Assert.That(store.TryRead(100_000, page), Is.False);
        device.Plan = new FaultPlan { FailAtOperation = device.Operations + 1, FailCount = long.MaxValue / 2 };
        Assert.DoesNotThrow(() => store.ReadAhead([1, 2, 4]));
        Assert.That(Assert.Throws<StorageException>(() => store.TryRead(1, page))!.Errno, Is.EqualTo(Errno.EIO));
    }

    /// <summary>Regression: a reader followed records in a circle until its stack was full, which ended the process.</summary>
    [Test]
    public void ADamagedRecordThatLeadsToItself_OrAhead_IsCorruption([Values(0, 5 * LogLayout.RecordBytes)] int ahead)
    {
        using var device = new MemoryBlockDevice(FasterSetup.DeviceBytes);
        using FasterPageStore store = FasterPageStore.Open(device, FasterSetup.Geometry, null, FasterSetup.TinyMemory);
        for (ulong id = 0; id < 600; id++)
        {
            store.Write(id, TestPages.Make(id, 1));
        }
        var mask = new LogMask(StoreTicket.Decode(store.Checkpoint()).Salts);
        var sectors = new byte[6 * LogLayout.RecordBytes / 4096 * 4096];
        device.Read(sectors, FasterSetup.Geometry.LogStart);
        mask.Apply(0, sectors);
        foreach (long record in (long[])[LogLayout.FirstAddress, LogLayout.FirstAddress + ahead]) // of pages 0 and 5
        {
            Span<byte> header = sectors.AsSpan((int)record, LogLayout.HeaderBytes + LogLayout.KeyBytes);
            ulong flags = BinaryPrimitives.ReadUInt64LittleEndian(header) >> 48 << 48;
            BinaryPrimitives.WriteUInt64LittleEndian(header, flags | (ulong)(LogLayout.FirstAddress + ahead));
            BinaryPrimitives.WriteUInt64LittleEndian(header[LogLayout.HeaderBytes..], 12345);
        }
        mask.Apply(0, sectors);
        device.Write(sectors, FasterSetup.Geometry.LogStart);
        var read = Task.Run(() => store.TryRead(0, new byte[4096]));
        Assert.That(() => read.IsCompleted, Is.True.After(60_000, 10));
        Assert.That(read.Exception?.InnerException, Is.InstanceOf<StorageException>().With.Property(nameof(StorageException.IsCorruption)).True);
    }

    [Test]
    public void Geometry_OutsideTheDevice_IsCorruption()
    {
        using var device = new MemoryBlockDevice(FasterSetup.DeviceBytes / 2);
        var failure = Assert.Throws<StorageException>(() => FasterPageStore.Open(device, FasterSetup.Geometry, null));
        Assert.That(failure!.IsCorruption, Is.True);
    }

    [Test]
    public void Opening_OnAnOverlay_ChangesNothingUnderneath()
    {
        (MemoryBlockDevice inner, CheckpointTicket ticket) = Filled();
        var recording = new FaultyBlockDevice(inner, seed: 1);
        var overlay = new ReadOnlyOverlayDevice(recording);
        CheckpointTicket next;
        using (FasterPageStore store = FasterPageStore.Open(overlay, FasterSetup.Geometry, ticket, FasterSetup.TinyMemory))
        {
            store.Write(5, TestPages.Make(5, 9));
            next = store.Checkpoint();
        }
        using FasterPageStore again = FasterPageStore.Open(overlay, FasterSetup.Geometry, next, FasterSetup.TinyMemory);
        var page = new byte[4096];
        Assert.That(again.TryRead(5, page), Is.True);
        Assert.That(page.AsSpan(4).SequenceEqual(TestPages.Make(5, 9).AsSpan(4)), Is.True);
        Assert.That(recording.Writes, Is.Zero);
        Assert.That(overlay.WrittenBlocks, Is.GreaterThan(0));
    }

    private static (MemoryBlockDevice, CheckpointTicket) Filled()
    {
        var device = new MemoryBlockDevice(FasterSetup.DeviceBytes);
        using FasterPageStore store = FasterPageStore.Open(device, FasterSetup.Geometry, null, FasterSetup.TinyMemory);
        for (ulong id = 0; id < 600; id++)
        {
            store.Write(id, TestPages.Make(id, 1));
        }
        return (device, store.Checkpoint());
    }

    private static void AssertFilled(FasterPageStore store)
    {
        var page = new byte[4096];
        for (ulong id = 0; id < 600; id++)
        {
            Assert.That(store.TryRead(id, page), Is.True, $"page {id}");
            Assert.That(page.AsSpan(4).SequenceEqual(TestPages.Make(id, 1).AsSpan(4)), Is.True);
        }
    }

    private static void Work(FasterPageStore store)
    {
        var page = new byte[4096];
        for (ulong id = 0; id < 400; id++)
        {
            store.Write(id, TestPages.Make(id, 1));
            store.TryRead(id * 7 % 400, page);
            if (id % 100 == 99)
            {
                store.Checkpoint();
            }
        }
    }

    private static long CountOperations()
    {
        var device = new FaultyBlockDevice(new MemoryBlockDevice(FasterSetup.DeviceBytes), seed: 1);
        using FasterPageStore store = FasterPageStore.Open(device, FasterSetup.Geometry, null, FasterSetup.TinyMemory);
        Work(store);
        return device.Operations;
    }

    private static void Flip(MemoryBlockDevice device, long at)
    {
        var one = new byte[1];
        device.Read(one, at);
        one[0] ^= 0x10;
        device.Write(one, at);
    }

    /// <summary>A store in which each page was written three times, a checkpoint after each.</summary>
    private sealed class ThreeVersions : IDisposable
    {
        private readonly MemoryBlockDevice _device = new(FasterSetup.DeviceBytes);
        private readonly int _pages;
        private CheckpointTicket? _before;
        private CheckpointTicket? _ticket;

        internal ThreeVersions(int pages, Index index)
        {
            _pages = pages;
            Fill(pages);
            if (index != Index.Oldest)
            {
                Flip(_device, FasterSetup.Geometry.IndexSlotAStart);
                Flip(_device, FasterSetup.Geometry.IndexSlotBStart);
            }
            if (index == Index.Newest)
            {
                using FasterPageStore store = FasterPageStore.Open(_device, FasterSetup.Geometry, _ticket, FasterSetup.TinyMemory);
                for (int i = 0; i < 2; i++)
                {
                    store.Write((ulong)pages, TestPages.Make((ulong)pages, i)); // one that nobody reads
                    (_before, _ticket) = (_ticket, store.Checkpoint());
                }
            }
        }

        private void Fill(int pages)
        {
            using FasterPageStore store = FasterPageStore.Open(_device, FasterSetup.Geometry, null, FasterSetup.TinyMemory);
            for (int version = 1; version <= 3; version++)
            {
                for (ulong id = 0; id < (ulong)pages; id++)
                {
                    store.Write(id, TestPages.Make(id, version));
                }
                (_before, _ticket) = (_ticket, store.Checkpoint());
            }
        }

        internal delegate void Damage(Span<byte> bytes);

        internal long TailAddress => AddressOf(3 * _pages);

        public void Dispose() => _device.Dispose();

        internal long AddressOf(int record)
        {
            var layout = new LogLayout(FasterSetup.TinyMemory.LogPageBits);
            long address = layout.FirstRecordAtOrAfter(0);
            while (record-- > 0)
            {
                address = layout.FirstRecordAtOrAfter(address + LogLayout.RecordBytes);
            }
            return address;
        }

        /// <summary>Whether the store does not open; when it does, what it reads of each page is the third version, or nothing.</summary>
        internal bool IsRefused(long address, int count, Damage damage)
        {
            long at = FasterSetup.Geometry.LogStart + address;
            var whole = new byte[count];
            _device.Read(whole, at);
            byte[] damaged = [.. whole];
            damage(damaged);
            _device.Write(damaged, at);
            try
            {
                using FasterPageStore store = FasterPageStore.Open(_device, FasterSetup.Geometry, _ticket, FasterSetup.TinyMemory with { Before = _before });
                var page = new byte[4096];
                for (ulong id = 0; id < (ulong)_pages; id++)
                {
                    if (store.TryRead(id, page))
                    {
                        Assert.That(page.AsSpan(4).SequenceEqual(TestPages.Make(id, 3).AsSpan(4)), Is.True, $"page {id} with damage at {address}");
                    }
                }
                return false;
            }
            catch (StorageException failure)
            {
                Assert.That(failure.IsCorruption, Is.True, failure.Message);
                return true;
            }
            finally
            {
                _device.Write(whole, at);
            }
        }
    }
}
