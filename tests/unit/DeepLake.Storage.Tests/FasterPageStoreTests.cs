// SPDX-License-Identifier: MPL-2.0
using DeepLake.Sim;
using DeepLake.Storage.Faster;
using NUnit.Framework;

namespace DeepLake.Storage.Tests;

/// <summary>The contract with pages mostly on the device (16), and with the daemon's own sizes (18 for small lakes, 20).</summary>
[TestFixture(16, 512 << 10)]
[TestFixture(18, 48 << 20)]
[TestFixture(20, 8 << 20)]
public sealed class FasterPageStoreTests(int logPageBits, int memoryBytes) : PageStoreContract
{
    private MemoryBlockDevice _device = null!;

    private PageStoreOptions Options => new() { LogPageBits = logPageBits, MemoryBytes = memoryBytes };

    private protected override IPageStore Open(CheckpointTicket? ticket)
    {
        if (ticket == null)
        {
            _device = new MemoryBlockDevice(FasterSetup.DeviceBytes);
        }
        return FasterPageStore.Open(_device, FasterSetup.Geometry, ticket, Options);
    }

    [Test]
    public void TheSameCalls_GiveTheSameDeviceOperations()
    {
        IReadOnlyList<DeviceOperation> first = Record();
        Assert.That(first, Has.Count.GreaterThan(20));
        Assert.That(Record(), Is.EqualTo(first));
    }

    [Test]
    public void RecommendedIndexSlot_HoldsTheIndexOfAFullStore()
    {
        ulong id = 0;
        while (Store.LivePages < Store.CapacityPages)
        {
            if (Store.CheckpointDue)
            {
                Store.Checkpoint();
            }
            Put(id++, 1);
        }
        Assert.That(((FasterPageStore)Store).IndexBytes,
            Is.LessThan(PageStoreGeometry.RecommendedIndexSlotBytes(FasterSetup.Geometry.LogBytes)));
        Reopen(Store.Checkpoint());
        for (ulong i = 0; i < id; i += 7)
        {
            AssertPage(i, 1);
        }
    }

    private IReadOnlyList<DeviceOperation> Record()
    {
        var device = new FaultyBlockDevice(new MemoryBlockDevice(FasterSetup.DeviceBytes), seed: 1, record: true);
        using FasterPageStore store = FasterPageStore.Open(device, FasterSetup.Geometry, null, Options);
        var model = new PageModel();
        var random = new Random(5);
        for (int step = 0; step < 6000; step++)
        {
            if (store.CheckpointDue)
            {
                store.Checkpoint();
            }
            model.RandomStep(store, random, ids: 700);
        }
        return device.Record;
    }
}
