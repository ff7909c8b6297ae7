// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Metadata.Space;
using DeepLake.Metadata.Tree;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Metadata.Tests;

[TestFixture]
public sealed class SpaceMapTests
{
    private static readonly Region Data = new() { StartBlock = 777, Blocks = 20011 };

    [Test]
    public void Lease_NeverGivesABlockTwice_AndGivesTheLastOne()
    {
        using MemoryPageStore store = MemoryPageStore.Open(new MemoryPageMedium(1 << 20), null);
        using BTree tree = BTree.CreateEmpty(store, 256);
        SpaceMap map = SpaceMap.CreateEmpty(tree, Data);
        var random = new Random(3);
        var taken = new HashSet<ulong>();
        var ranges = new BlockRange[16];
        int count;
        while ((count = map.Lease((ulong)random.Next(1, 700), (ulong)random.Next(25000), ranges)) > 0)
        {
            for (int i = 0; i < count; i++)
            {
                for (ulong b = 0; b < ranges[i].Count; b++)
                {
                    Assert.That(taken.Add(ranges[i].Start + b), Is.True);
                    Assert.That(map.Contains(ranges[i].Start + b, 1), Is.True);
                }
            }
        }

        Assert.That(taken, Has.Count.EqualTo((int)Data.Blocks));
        Assert.That(map.FreeBlocks, Is.Zero);
    }

    [Test]
    public void FreedBlocks_AreNotLeased_BeforeTheFreeingIsDurable()
    {
        using MemoryPageStore store = MemoryPageStore.Open(new MemoryPageMedium(1 << 20), null);
        using BTree tree = BTree.CreateEmpty(store, 256);
        SpaceMap map = SpaceMap.CreateEmpty(tree, Data);
        Assert.That(map.MarkUsed(Data.StartBlock, Data.Blocks), Is.True);
        Assert.That(map.MarkUsed(Data.StartBlock + 5, 1), Is.False);
        Assert.That(map.MarkFreed(Data.StartBlock + 10, 20, seq: 5), Is.True);
        Assert.That(map.MarkFreed(Data.StartBlock + 29, 1, seq: 6), Is.False);
        var ranges = new BlockRange[4];
        Assert.That(map.Lease(5, 0, ranges), Is.Zero);
        map.ReleaseQuarantine(4);
        Assert.That(map.Lease(5, 0, ranges), Is.Zero);
        map.ReleaseQuarantine(5);
        Assert.That(map.Lease(50, 0, ranges), Is.EqualTo(1));
        Assert.That(ranges[0], Is.EqualTo(new BlockRange { Start = Data.StartBlock + 10, Count = 20 }));
    }

    [Test]
    public void UsedBits_SurviveStoreAndLoad_AndHeldOnesDoNot()
    {
        using MemoryPageStore store = MemoryPageStore.Open(new MemoryPageMedium(1 << 20), null);
        using BTree tree = BTree.CreateEmpty(store, 256);
        SpaceMap map = SpaceMap.CreateEmpty(tree, Data);
        map.MarkUsed(Data.StartBlock + 100, 9000);
        map.Store();
        map.MarkFreed(Data.StartBlock + 200, 8300, seq: 1);
        map.MarkUsed(Data.StartBlock + Data.Blocks - 1, 1);
        map.Lease(100, 0, new BlockRange[1]);
        map.Store();
        Assert.That(map.LeasedBlocks, Is.EqualTo(100ul));
        Assert.That(map.UsedBlocks + map.QuarantinedBlocks + map.LeasedBlocks + map.FreeBlocks, Is.EqualTo(map.TotalBlocks));
        SpaceMap loaded = SpaceMap.Load(tree, Data);
        Assert.That(loaded.LeasedBlocks, Is.Zero);
        Assert.That(loaded.UsedBlocks, Is.EqualTo(701ul));
        Assert.That(loaded.FreeBlocks, Is.EqualTo(Data.Blocks - 701));
        Assert.That(loaded.CountUsed(Data.StartBlock + 100, 100), Is.EqualTo(100ul));
        Assert.That(loaded.CountUsed(Data.StartBlock + 200, 8300), Is.Zero);
    }
}
