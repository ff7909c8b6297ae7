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

    /// <summary>What came out of a pack is cut like anything else, while the packer still holds all of it.</summary>
    [Test]
    public void PinnedBlocks_AreHeldUntilTheyAreUnpinned_AlsoWhenTheyLeaveAMapInPart()
    {
        using MemoryPageStore store = MemoryPageStore.Open(new MemoryPageMedium(1 << 20), null);
        using BTree tree = BTree.CreateEmpty(store, 256);
        SpaceMap map = SpaceMap.CreateEmpty(tree, Data);
        Assert.That(map.TryLeaseRun(10, out ulong start), Is.True);
        map.Pin(start, 10);
        Assert.That(map.MarkUsed(start - 5, 15), Is.True);
        Assert.That(map.MarkFreed(start - 2, 6, seq: 3), Is.True); // two more before it
        Assert.That((map.QuarantinedBlocks, map.LeasedBlocks), Is.EqualTo((2ul, 4ul)));
        map.ReleaseQuarantine(3);
        Assert.That((map.QuarantinedBlocks, map.LeasedBlocks), Is.EqualTo((0ul, 4ul)));
        Assert.That(map.MarkUsed(start, 2), Is.True);
        map.Unpin(start, 10, seq: 8);
        Assert.That((map.QuarantinedBlocks, map.LeasedBlocks), Is.EqualTo((2ul, 0ul)));
        Assert.That(map.MarkFreed(start, 1, seq: 9), Is.True);
        map.ReleaseQuarantine(8);
        Assert.That(map.QuarantinedBlocks, Is.EqualTo(1ul));
        map.ReleaseQuarantine(9);
        Assert.That(map.FreeBlocks, Is.EqualTo(Data.Blocks - map.UsedBlocks));
    }

    [Test]
    public void WhatLeavesAMap_WhileAPredecessorsIntentsComeAgain_IsHeldUntilAllHaveCome()
    {
        using MemoryPageStore store = MemoryPageStore.Open(new MemoryPageMedium(1 << 20), null);
        using BTree tree = BTree.CreateEmpty(store, 256);
        SpaceMap map = SpaceMap.CreateEmpty(tree, Data);
        ulong pack = Data.StartBlock + 100;
        Assert.That(map.MarkUsed(pack, 8), Is.True);
        map.BeginResent(20);
        Assert.That(map.MarkFreed(pack, 8, seq: 12), Is.True);
        map.ReleaseQuarantine(12);
        Assert.That(map.FreeBlocks, Is.EqualTo(Data.Blocks - 8), "another intent may have them");
        Assert.That(map.MarkUsed(pack, 4), Is.True);
        map.EndResent();
        Assert.That((map.QuarantinedBlocks, map.LeasedBlocks), Is.EqualTo((4ul, 0ul)));
        map.ReleaseQuarantine(19);
        Assert.That(map.FreeBlocks, Is.EqualTo(Data.Blocks - 8));
        map.ReleaseQuarantine(20);
        Assert.That(map.FreeBlocks, Is.EqualTo(Data.Blocks - 4));
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

    /// <summary>The map keeps pieces of 65,536 blocks apart, and those that are all free or all used without memory.</summary>
    [TestCase(1)]
    [TestCase(2)]
    public void AMapOfManyPieces_AgreesWithAnArray(int seed)
    {
        var region = new Region { StartBlock = 13, Blocks = (5 << 16) + 4321 };
        using MemoryPageStore store = MemoryPageStore.Open(new MemoryPageMedium(1 << 20), null);
        using BTree tree = BTree.CreateEmpty(store, 256);
        using SpaceMap map = SpaceMap.CreateEmpty(tree, region);
        var used = new bool[region.Blocks];
        var random = new Random(seed);
        for (int step = 0; step < 2000; step++)
        {
            int start = random.Next(used.Length);
            bool value = used[start];
            int end = start;
            int most = Math.Min(used.Length, start + random.Next(1, random.Next(4) == 0 ? 200_000 : 3000));
            for (; end < most && used[end] == value; end++)
            {
                used[end] = !value;
            }

            ulong block = region.StartBlock + (ulong)start;
            bool done = value ? map.MarkFreed(block, (ulong)(end - start), 1) : map.MarkUsed(block, (ulong)(end - start));
            Assert.That(done, Is.True);
            map.ReleaseQuarantine(1);
            if (step % 100 == 0)
            {
                map.Store();
            }
        }

        AssertSame(map, used, region);
        map.Store();
        using SpaceMap loaded = SpaceMap.Load(tree, region);
        AssertSame(loaded, used, region);
        var ranges = new BlockRange[64];
        for (int count; (count = loaded.Lease(70_000, 0, ranges)) > 0;)
        {
            foreach (BlockRange range in ranges.AsSpan(0, count))
            {
                Assert.That(loaded.CountUsed(range.Start, range.Count), Is.Zero);
            }
        }

        Assert.That(loaded.FreeBlocks, Is.Zero);
    }

    private static void AssertSame(SpaceMap map, bool[] used, Region region)
    {
        for (int i = 0; i < used.Length; i++)
        {
            if (map.IsUsed(region.StartBlock + (ulong)i) != used[i])
            {
                Assert.Fail($"block {i} of the region");
            }
        }

        Assert.That(map.UsedBlocks, Is.EqualTo((ulong)used.Count(u => u)));
        Assert.That(map.FreeBlocks, Is.EqualTo((ulong)used.Count(u => !u)));
    }
}
