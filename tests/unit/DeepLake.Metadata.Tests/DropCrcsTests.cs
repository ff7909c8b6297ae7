// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata.Tables;
using DeepLake.Metadata.Tree;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Metadata.Tests;

/// <summary>Many ranges at once, which looks for an extent once when those that follow each other are in it.</summary>
[TestFixture]
public sealed class DropCrcsTests
{
    private const int Blocks = 1500;
    private const int RangesMost = 60;

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    public void ManyRanges_InAnyOrder_DoWhatTheyDoOneByOne(int seed)
    {
        var random = new Random(seed);
        using var many = new Maps();
        using var one = new Maps();
        for (ulong ino = 6; ino <= 8; ino++)
        {
            int length;
            for (int at = 0; at < Blocks; at += length)
            {
                length = Insert(random, ino, at, many, one);
            }
        }

        for (int step = 0; step < 300; step++)
        {
            var ranges = new BlockRange[random.Next(1, RangesMost + 1)];
            int spread = random.Next(2) == 0 ? Blocks + 20 : 100;
            int from = random.Next(Blocks);
            for (int i = 0; i < ranges.Length; i++)
            {
                ranges[i].Start = (ulong)((from + random.Next(spread)) % (Blocks + 20));
                ranges[i].Count = (ulong)(random.Next(4) == 0 ? random.Next(0, 40) : 1);
            }

            if (random.Next(3) != 0)
            {
                Array.Sort(ranges, (a, b) => a.Start.CompareTo(b.Start));
            }

            Assert.That(many.Table.DropCrcs(7, ranges), Is.True);
            foreach (BlockRange range in ranges)
            {
                Assert.That(one.Table.DropCrcs(7, range.Start, range.Count), Is.True);
            }

            Assert.That(many.Dump(), Is.EqualTo(one.Dump()), $"step {step}");
            for (int i = 0; i < 10; i++)
            {
                Insert(random, 7, random.Next(Blocks), many, one);
            }
        }
    }

    [Test]
    public void SealedBlocks_AreRefused_AloneAndAmongOthers()
    {
        using var maps = new Maps();
        uint[] crcs = [1, 2, 3, 4];
        for (ulong at = 0; at < 40; at += 4)
        {
            uint flags = ExtentFlags.Crc | (at == 20 ? ExtentFlags.Sealed : 0);
            maps.Table.Insert(7, new Extent(at, 1000 + (2 * at), 4, flags, 1), MemoryMarshal.AsBytes<uint>(crcs));
        }

        Assert.That(maps.Table.DropCrcs(7, [Range(0), Range(5), Range(18), Range(25), Range(10)]), Is.True);
        Assert.That(maps.Table.DropCrcs(7, [Range(0), Range(5), Range(21), Range(25)]), Is.False);
        Assert.That(maps.Table.DropCrcs(7, [Range(21)]), Is.False);
        Assert.That(maps.Table.DropCrcs(7, [Range(20, 4)]), Is.False, "all of it");
        Assert.That(maps.Table.DropCrcs(7, [Range(18, 3)]), Is.False, "its beginning, and the end of another one");
        Assert.That(maps.Table.DropCrcs(7, [Range(21, 0)]), Is.True, "none of it");
    }

    private static BlockRange Range(ulong start, ulong count = 1) => new() { Start = start, Count = count };

    /// <summary>Replaces what lies at a place, in both; its length.</summary>
    private static int Insert(Random random, ulong ino, int at, Maps many, Maps one)
    {
        int length = Math.Min(random.Next(1, 12), Blocks - at);
        uint? flags = random.Next(8) switch { 0 => null, 1 => ExtentFlags.Unwritten, 2 => 0, _ => ExtentFlags.Crc };
        uint[] crcs = [.. Enumerable.Range(0, length).Select(_ => (uint)random.Next())];
        ulong phys = 1000 + (ulong)random.Next(1 << 20);
        foreach (Maps maps in (Maps[])[many, one])
        {
            maps.Table.Punch(ino, (ulong)at, (ulong)length, maps);
            if (flags is { } known)
            {
                var extent = new Extent((ulong)at, phys, (uint)length, known, 1);
                maps.Table.Insert(ino, extent, extent.HasCrc ? MemoryMarshal.AsBytes<uint>(crcs) : default);
            }
        }

        return length;
    }

    private sealed class Maps : IFreedBlocks, IDisposable
    {
        private readonly MemoryPageStore _store = MemoryPageStore.Open(new MemoryPageMedium(1 << 20), null);
        private readonly BTree _tree;

        public Maps()
        {
            _tree = BTree.CreateEmpty(_store, 256);
            Table = new ExtentTable(_tree);
        }

        public ExtentTable Table { get; }

        public List<string> Dump()
        {
            var lines = new List<string>();
            for (ulong ino = 6; ino <= 8; ino++)
            {
                for (ulong at = 0; Table.TryGetAt(ino, at, out Extent extent); at = extent.FileEnd)
                {
                    lines.Add($"{ino} {extent} {string.Join(' ', Table.CrcsOf(ino, extent).ToArray())}");
                }
            }

            return lines;
        }

        public void Kept(ulong physBlock, ulong blocks, uint flags)
        {
        }

        public void Unmapped(ulong blocks, uint flags)
        {
        }

        public void Freed(ulong physBlock, ulong blocks, uint flags)
        {
        }

        public void CutWithin(ulong physBlock, ulong blocks)
        {
        }

        public void Dispose()
        {
            _tree.Dispose();
            _store.Dispose();
        }
    }
}
