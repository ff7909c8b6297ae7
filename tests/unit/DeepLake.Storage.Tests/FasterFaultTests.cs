// SPDX-License-Identifier: MPL-2.0
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

    [Test]
    public void ADamagedIndex_IsReportedAtOpen()
    {
        (MemoryBlockDevice device, CheckpointTicket ticket) = Filled();
        foreach (long at in (long[])[FasterSetup.Geometry.IndexSlotAStart, FasterSetup.Geometry.IndexSlotAStart + 5000])
        {
            Flip(device, at);
            var failure = Assert.Throws<StorageException>(() => FasterPageStore.Open(device, FasterSetup.Geometry, ticket, FasterSetup.TinyMemory));
            Assert.That(failure!.IsCorruption, Is.True);
            Flip(device, at);
        }
        FasterPageStore.Open(device, FasterSetup.Geometry, ticket, FasterSetup.TinyMemory).Dispose();
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
}
