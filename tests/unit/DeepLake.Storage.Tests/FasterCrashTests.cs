// SPDX-License-Identifier: MPL-2.0
using DeepLake.Sim;
using DeepLake.Storage.Faster;
using NUnit.Framework;

namespace DeepLake.Storage.Tests;

/// <summary>
/// Power cuts at random operations under random page writes; the state after recovery must be the model
/// at the published ticket, byte for byte, and with the older ticket the model before it.
/// </summary>
[TestFixture]
public sealed class FasterCrashTests
{
    [Test]
    public void PowerCuts_RecoverThePublishedTicket([Range(1, 24)] int seed) =>
        Assert.That(Run(seed, ignoreFlushes: false, cycles: 10, out _), Is.Null);

    [Test]
    public void PowerCuts_DuringLongRunsWithCompaction([Range(100, 105)] int seed)
    {
        Assert.That(Run(seed, ignoreFlushes: false, cycles: 4, out long moved, maxOperations: 6000), Is.Null);
        Assert.That(moved, Is.GreaterThan(0), "the log went round");
    }

    /// <summary>A few seeds here; <c>make soak SEEDS=500</c> runs more.</summary>
    [Test]
    public void Soak()
    {
        int seeds = TestContext.Parameters.Get("seeds", 3);
        for (int seed = 1000; seed < 1000 + seeds; seed++)
        {
            int maxOperations = seed % 3 == 0 ? 6000 : 900;
            Assert.That(Run(seed, ignoreFlushes: false, cycles: 10, out _, maxOperations), Is.Null, $"seed {seed}");
        }
    }

    [Test]
    public void Control_WithoutFlushes_TheTestSeesTheLoss()
    {
        int detected = 0;
        for (int seed = 1; seed <= 10; seed++)
        {
            detected += Run(seed, ignoreFlushes: true, cycles: 10, out _) != null ? 1 : 0;
        }
        Assert.That(detected, Is.GreaterThanOrEqualTo(9));
    }

    private static string? Run(int seed, bool ignoreFlushes, int cycles, out long moved, int maxOperations = 900)
    {
        moved = 0;
        var random = new Random(seed);
        var device = new FaultyBlockDevice(new MemoryBlockDevice(FasterSetup.DeviceBytes), seed, new FaultPlan { IgnoreFlushes = ignoreFlushes });
        var published = new PageModel();
        var older = new PageModel();
        CheckpointTicket? publishedTicket = null;
        CheckpointTicket? olderTicket = null;
        for (int cycle = 0; cycle < cycles; cycle++)
        {
            FasterPageStore? store = null;
            try
            {
                bool useOlder = cycle > 0 && random.Next(5) == 0;
                if (useOlder)
                {
                    publishedTicket = olderTicket;
                    published = older.Copy();
                }
                store = FasterPageStore.Open(device, FasterSetup.Geometry, publishedTicket, FasterSetup.TinyMemory);
                string? difference = published.Difference(store, maxId: 1300);
                if (difference != null)
                {
                    return $"cycle {cycle}, older {useOlder}: {difference}";
                }
                olderTicket = publishedTicket;
                older = published.Copy();
                PageModel model = published.Copy();
                device.Plan.LossProbability = random.NextDouble();
                device.Plan.PowerCutAtOperation = device.Operations + 1 + random.Next(maxOperations);
                while (true)
                {
                    if (random.Next(50) == 0)
                    {
                        store.PrepareSlice();
                    }
                    if (store.CheckpointDue || random.Next(300) == 0)
                    {
                        CheckpointTicket ticket = store.Checkpoint();
                        (olderTicket, publishedTicket) = (publishedTicket, ticket);
                        (older, published) = (published, model.Copy());
                    }
                    model.RandomStep(store, random, ids: 1200);
                }
            }
            catch (StorageException failure) when (!device.IsDead)
            {
                return $"cycle {cycle}: {failure.Message}";
            }
            catch (StorageException)
            {
                // the power went off
            }
            finally
            {
                moved += store?.PagesMoved ?? 0;
                store?.Dispose();
            }
            device.PowerOn();
            device.Plan.IgnoreFlushes = ignoreFlushes;
        }
        return null;
    }
}
