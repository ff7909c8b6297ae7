// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;
using DeepLake.Storage.Faster;
using NUnit.Framework;

namespace DeepLake.Storage.Tests;

[TestFixture]
public sealed class FasterCompactionTests
{
    [Test]
    public void ALongRun_WithASmallLiveSet_NeverFillsTheRegion([Values(50, 1000)] int ids)
    {
        using var device = new MemoryBlockDevice(FasterSetup.DeviceBytes);
        LongRun(device, ids, writes: 30_000, coldPages: 0);
    }

    [Test]
    public void ALongRun_AtTheStatedCapacity_NeverFillsTheRegion()
    {
        // Nearly every live page is cold, so cleaning copies as much as it can be made to.
        using var device = new MemoryBlockDevice(FasterSetup.DeviceBytes);
        LongRun(device, ids: 50, writes: 25_000, coldPages: 1250);
    }

    [Test]
    public void WithoutCheckpoints_WritesEndInENOSPC_AndNothingIsLost()
    {
        using var device = new MemoryBlockDevice(FasterSetup.DeviceBytes);
        using FasterPageStore store = FasterPageStore.Open(device, FasterSetup.Geometry, null, FasterSetup.TinyMemory);
        ulong written = 0;
        var failure = Assert.Throws<StorageException>(() =>
        {
            for (; written < 10_000; written++)
            {
                store.Write(written, TestPages.Make(written, 1));
            }
        });
        Assert.That(failure!.Errno, Is.EqualTo(Errno.ENOSPC));
        Assert.That(store.RoomPages, Is.Zero);
        Assert.That(written, Is.GreaterThan(3000));
        Assert.DoesNotThrow(() => store.TryRead(1, new byte[4096]));
        Assert.That(store.LivePages, Is.EqualTo((long)written));
        using FasterPageStore again = FasterPageStore.Open(device, FasterSetup.Geometry, store.Checkpoint(), FasterSetup.TinyMemory);
        var page = new byte[4096];
        for (ulong id = 0; id < written; id++)
        {
            Assert.That(again.TryRead(id, page) && page.AsSpan(4).SequenceEqual(TestPages.Make(id, 1).AsSpan(4)), Is.True);
        }
    }

    [Test]
    public void AFullLog_OfMostlyGarbage_ComesBack_ByCheckpointsAlone()
    {
        using var device = new MemoryBlockDevice(FasterSetup.DeviceBytes);
        using FasterPageStore store = FasterPageStore.Open(device, FasterSetup.Geometry, null, FasterSetup.TinyMemory);
        for (ulong id = 0; id < 1300; id++)
        {
            store.Write(id, TestPages.Make(id, 0));
        }
        store.Checkpoint();
        Assert.Throws<StorageException>(() =>
        {
            for (int i = 0; i < 100_000; i++)
            {
                store.Write((ulong)(i % 900), TestPages.Make((ulong)(i % 900), 1));
            }
        });
        Assert.That(store.RoomPages, Is.Zero);
        int checkpoints = 0;
        while (store.RoomPages < 500)
        {
            store.Checkpoint();
            Assert.That(++checkpoints, Is.LessThan(12));
        }
        for (ulong id = 0; id < 200; id++)
        {
            store.Write(id, TestPages.Make(id, 1));
        }
        var page = new byte[4096];
        Assert.That(store.TryRead(1299, page) && page.AsSpan(4).SequenceEqual(TestPages.Make(1299, 0).AsSpan(4)), Is.True);
    }

    [Test]
    public void RoomPages_IsAPromise()
    {
        using var device = new MemoryBlockDevice(FasterSetup.DeviceBytes);
        using FasterPageStore store = FasterPageStore.Open(device, FasterSetup.Geometry, null, FasterSetup.TinyMemory);
        var random = new Random(8);
        for (int round = 0; round < 25; round++)
        {
            long promised = Math.Min(store.RoomPages, 1500);
            Assert.That(promised, Is.GreaterThan(100), "space came back");
            for (long i = 0; i < promised; i++)
            {
                var id = (ulong)random.Next(1000);
                store.Write(id, TestPages.Make(id, round));
            }
            store.Checkpoint();
            store.Checkpoint();
        }
    }

    [Test]
    public void IdleCompaction_ReclaimsGarbage()
    {
        using var device = new MemoryBlockDevice(FasterSetup.DeviceBytes);
        using FasterPageStore store = FasterPageStore.Open(device, FasterSetup.Geometry, null, FasterSetup.TinyMemory);
        for (int version = 1; version <= 12; version++)
        {
            for (ulong id = 0; id < 120; id++)
            {
                store.Write(id, TestPages.Make(id, version));
            }
            store.Checkpoint();
        }
        long before = store.UsedBytes;
        while (store.CompactSlice(64) > 0)
        {
        }
        store.Checkpoint();
        store.Checkpoint();
        Assert.That(store.UsedBytes, Is.LessThan(before / 3));
        var page = new byte[4096];
        for (ulong id = 0; id < 120; id++)
        {
            Assert.That(store.TryRead(id, page) && page.AsSpan(4).SequenceEqual(TestPages.Make(id, 12).AsSpan(4)), Is.True);
        }
    }

    [Test]
    public void AStoreOfManyTags_KeepsItsIndexInItsSlot()
    {
        // Ever new ids: stale index entries must be reused, or the index outgrows any slot.
        using var device = new MemoryBlockDevice(FasterSetup.DeviceBytes);
        using FasterPageStore store = FasterPageStore.Open(device, FasterSetup.Geometry, null, FasterSetup.TinyMemory);
        for (ulong id = 0; id < 40_000; id++)
        {
            if (store.CheckpointDue)
            {
                store.Checkpoint();
            }
            store.Write(id, TestPages.Make(id, 1));
            if (id >= 300)
            {
                Assert.That(store.Delete(id - 300), Is.True);
            }
        }
        Assert.That(store.LivePages, Is.EqualTo(300));
        Assert.That(store.IndexBytes, Is.LessThan(PageStoreGeometry.RecommendedIndexSlotBytes(FasterSetup.Geometry.LogBytes)));
    }

    [Test]
    public void ColdPages_WhoseIdsFallIntoOneChainOfTheIndex_AreAllKept()
    {
        // FASTER tells keys of one bucket apart by 14 bits; those with equal ones form a chain through the log.
        ulong[] cold = IdsOfChains(chains: 40, length: 3);
        using var device = new MemoryBlockDevice(FasterSetup.DeviceBytes);
        using FasterPageStore store = FasterPageStore.Open(device, FasterSetup.Geometry, null, FasterSetup.TinyMemory);
        for (int round = 0; round < 3; round++)
        {
            foreach (ulong id in cold.Where((_, i) => i % 3 == round))
            {
                store.Write(id, TestPages.Make(id, 1));
                store.Write(1_000_000_000 + id, TestPages.Make(id, 2));
            }
        }
        var page = new byte[4096];
        for (int i = 0; i < 12_000; i++)
        {
            if (store.CheckpointDue)
            {
                store.Checkpoint();
            }
            ulong id = 2_000_000_000 + (ulong)(i % 200);
            store.Write(id, TestPages.Make(id, i));
        }
        Assert.That(store.PagesMoved, Is.GreaterThan(cold.Length * 3), "all of them were moved, more than once");
        foreach (ulong id in cold)
        {
            Assert.That(store.TryRead(id, page) && page.AsSpan(4).SequenceEqual(TestPages.Make(id, 1).AsSpan(4)), Is.True, $"page {id}");
        }
    }

    // of the smallest index, which has 256 buckets
    private static ulong[] IdsOfChains(int chains, int length)
    {
        var comparer = new PageKeyComparer();
        return Enumerable.Range(1, 3_000_000).Select(i => (ulong)i)
            .GroupBy(id =>
            {
                var key = new PageKey(id);
                long hash = comparer.GetHashCode64(ref key);
                return (hash & 0xff, (ulong)hash >> 50);
            })
            .Where(group => group.Count() >= length)
            .Take(chains)
            .SelectMany(group => group.Take(length))
            .ToArray();
    }

    private static void LongRun(IBlockDevice device, int ids, int writes, int coldPages)
    {
        var random = new Random(ids);
        var versions = new Dictionary<ulong, int>();
        FasterPageStore store = FasterPageStore.Open(device, FasterSetup.Geometry, null, FasterSetup.TinyMemory);
        CheckpointTicket? ticket = null;
        long worst = 0;
        int checkpoints = 0;
        for (int i = 0; i < writes; i++)
        {
            if (store.CheckpointDue)
            {
                ticket = store.Checkpoint();
                checkpoints++;
                if (random.Next(20) == 0)
                {
                    store.Dispose();
                    store = FasterPageStore.Open(device, FasterSetup.Geometry, ticket, FasterSetup.TinyMemory);
                }
            }
            ulong id = i < coldPages ? (ulong)(ids + i) : (ulong)random.Next(ids);
            store.Write(id, TestPages.Make(id, i));
            versions[id] = i;
            worst = Math.Max(worst, store.UsedBytes);
        }
        TestContext.Out.WriteLine($"worst use {worst >> 10} KiB of {FasterSetup.Geometry.LogBytes >> 10}, moved {store.PagesMoved}, {checkpoints} checkpoints");
        long intervals = 16 * (writes * 4112L * 2) / FasterSetup.Geometry.LogBytes;
        Assert.That(checkpoints, Is.LessThan(2 * intervals), "a checkpoint is due now and then, not always");
        Assert.That(worst, Is.LessThan(FasterSetup.Geometry.LogBytes * 9 / 10));
        var page = new byte[4096];
        foreach ((ulong id, int version) in versions)
        {
            Assert.That(store.TryRead(id, page) && page.AsSpan(4).SequenceEqual(TestPages.Make(id, version).AsSpan(4)), Is.True, $"page {id}");
        }
        store.Dispose();
    }
}
