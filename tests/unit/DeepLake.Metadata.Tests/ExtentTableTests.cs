// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Metadata.Tables;
using DeepLake.Metadata.Tree;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Metadata.Tests;

[TestFixture]
public sealed class ExtentTableTests
{
    private const int Blocks = 600;

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    public void Map_AgreesWithAnArray_UnderRandomInsertAndPunch(int seed)
    {
        var random = new Random(seed);
        using MemoryPageStore store = MemoryPageStore.Open(new MemoryPageMedium(1 << 20), null);
        using BTree tree = BTree.CreateEmpty(store, 256);
        var table = new ExtentTable(tree);
        var model = new (ulong Phys, uint Flags, uint Crc)[Blocks];
        var freed = new Collector();
        ulong nextPhys = 1000;
        for (int step = 0; step < 4000; step++)
        {
            int start = random.Next(Blocks);
            int count = Math.Min(random.Next(1, 40), Blocks - start);
            int action = random.Next(4);
            freed.Blocks.Clear();
            if (action == 3)
            {
                table.DropCrcs(7, (ulong)start, (ulong)count);
                for (int i = start; i < start + count; i++)
                {
                    model[i] = (model[i].Phys, model[i].Flags, 0);
                }

                continue;
            }

            ulong removed = table.Punch(7, (ulong)start, (ulong)count, freed);
            var expected = Enumerable.Range(start, count).Where(i => model[i].Phys != 0).Select(i => model[i].Phys);
            Assert.That(freed.Blocks, Is.EquivalentTo(expected));
            Assert.That(removed, Is.EqualTo((ulong)freed.Blocks.Count));
            Array.Clear(model, start, count);
            if (action == 0)
            {
                continue;
            }

            uint flags = action == 1 ? ExtentFlags.Crc : ExtentFlags.Unwritten;
            var crcs = new uint[count];
            for (int i = 0; i < count; i++)
            {
                crcs[i] = action == 1 ? (uint)random.Next() : 0;
                model[start + i] = (nextPhys + (ulong)i, flags & ~ExtentFlags.Crc, crcs[i]);
            }

            table.Insert(7, new Extent((ulong)start, nextPhys, (uint)count, flags, 1), System.Runtime.InteropServices.MemoryMarshal.AsBytes<uint>(crcs));
            nextPhys += (ulong)count + (ulong)random.Next(2);
            if (step % 100 == 0)
            {
                AssertSame(table, model);
            }
        }

        AssertSame(table, model);
    }

    [Test]
    public void DropCrcs_CutsNothing_AndLeavesTheOthers()
    {
        using MemoryPageStore store = MemoryPageStore.Open(new MemoryPageMedium(1 << 20), null);
        using BTree tree = BTree.CreateEmpty(store, 256);
        var table = new ExtentTable(tree);
        uint[] crcs = [.. Enumerable.Range(1, 32).Select(i => (uint)i)];
        table.Insert(9, new Extent(10, 500, 32, ExtentFlags.Crc, 1), System.Runtime.InteropServices.MemoryMarshal.AsBytes<uint>(crcs));
        table.DropCrcs(9, 0, 12);
        table.DropCrcs(9, 20, 1);
        table.DropCrcs(9, 41, 100);
        Assert.That(table.TryGetAt(9, 0, out Extent extent));
        Assert.That((extent.FileBlock, extent.Blocks, extent.HasCrc), Is.EqualTo((10ul, 32u, true)));
        uint[] expected = [.. crcs.Select((crc, i) => i is 0 or 1 or 10 or 31 ? LakeFormat.CrcUnknown : crc)];
        Assert.That(table.CrcsOf(9, extent).ToArray(), Is.EqualTo(expected));

        table.DropCrcs(9, 10, 32);
        Assert.That(table.TryGetAt(9, 0, out extent));
        Assert.That((extent.FileBlock, extent.Blocks, extent.HasCrc), Is.EqualTo((10ul, 32u, false)));
    }

    [TestCase(4)]
    [TestCase(5)]
    public void Mark_ChangesFlagsOfWrittenBlocks_AndKeepsTheirChecksumsWhileTheyMayBeThere(int seed)
    {
        var random = new Random(seed);
        using MemoryPageStore store = MemoryPageStore.Open(new MemoryPageMedium(1 << 20), null);
        using BTree tree = BTree.CreateEmpty(store, 256);
        var table = new ExtentTable(tree);
        var model = new (ulong Phys, uint Flags, uint Crc)[Blocks];
        for (int i = 0; i < Blocks; i += 20)
        {
            uint flags = random.Next(3) switch { 0 => ExtentFlags.Unwritten, 1 => 0, _ => ExtentFlags.Crc };
            uint[] crcs = [.. Enumerable.Range(0, 20).Select(_ => (uint)random.Next())];
            bool hasCrc = flags == ExtentFlags.Crc;
            table.Insert(7, new Extent((ulong)i, 1000 + (ulong)i, 20, flags, 1), hasCrc ? System.Runtime.InteropServices.MemoryMarshal.AsBytes<uint>(crcs) : default);
            for (int k = 0; k < 20; k++)
            {
                model[i + k] = (1000 + (ulong)(i + k), flags & ~ExtentFlags.Crc, hasCrc ? crcs[k] : 0);
            }
        }

        for (int step = 0; step < 1000; step++)
        {
            int start = random.Next(Blocks);
            int count = random.Next(1, 100);
            var marker = new Marker((Step)random.Next(3));
            table.Mark(7, (ulong)start, (ulong)count, marker);
            for (int i = start; i < Math.Min(start + count, Blocks); i++)
            {
                (ulong phys, uint flags, uint crc) = model[i];
                uint marked = Marker.FlagsOf(marker.Step, flags);
                model[i] = (flags & ExtentFlags.Unwritten) != 0
                    ? model[i]
                    : (phys, marked, (marked & ExtentFlags.Checked) != 0 ? 0 : crc);
            }

            AssertSame(table, model);
        }
    }

    private enum Step
    {
        Seal,
        Check,
        Unseal,
    }

    private sealed class Marker(Step step) : IMarkedExtents
    {
        public Step Step => step;

        public static uint FlagsOf(Step step, uint flags) => step switch
        {
            Step.Seal => flags | ExtentFlags.Sealed,
            Step.Check when (flags & ExtentFlags.Sealed) != 0 => (flags | ExtentFlags.Checked) & ~ExtentFlags.Crc,
            Step.Check => flags,
            _ => flags & ~(ExtentFlags.Sealed | ExtentFlags.Checked),
        };

        public uint FlagsOf(in Extent extent) => FlagsOf(step, extent.Flags);
    }

    [Test]
    public void Punch_DoesNotReportBlocks_ThatTheNewMapKeeps()
    {
        using MemoryPageStore store = MemoryPageStore.Open(new MemoryPageMedium(1 << 20), null);
        using BTree tree = BTree.CreateEmpty(store, 256);
        var table = new ExtentTable(tree);
        table.Insert(9, new Extent(10, 500, 20, ExtentFlags.Unwritten, 1), default);
        var freed = new Collector();
        Assert.That(table.Punch(9, 15, 5, freed, keepPhys: 505), Is.EqualTo(5ul));
        Assert.That(freed.Blocks, Is.Empty);
        Assert.That(freed.KeptBlocks, Is.EqualTo(5ul));
        Assert.That(table.Punch(9, 20, 5, freed, keepPhys: 700), Is.EqualTo(5ul));
        Assert.That(freed.Blocks, Is.EqualTo(new ulong[] { 510, 511, 512, 513, 514 }));
    }

    [TestCase(0, 20, new[] { 500, 501, 502, 503, 504, 505, 506 }, TestName = "Punch_OfAllOfASkewedExtent_FreesOneBlockMore")]
    [TestCase(10, 2, new[] { 500, 501 }, TestName = "Punch_OfItsBeginning_KeepsTheBlockWhereTheRestBegins")]
    [TestCase(14, 20, new[] { 505, 506 }, TestName = "Punch_OfItsEnd_KeepsTheBlockWhereTheRestEnds")]
    [TestCase(12, 1, new int[0], TestName = "Punch_OfOneBlockInTheMiddle_FreesNothing")]
    [TestCase(11, 4, new[] { 502, 503, 504 }, TestName = "Punch_OfTheMiddle_FreesWhatLiesBetween")]
    public void APunchedSkewedExtent(int fileBlock, int blocks, int[] expected)
    {
        using MemoryPageStore store = MemoryPageStore.Open(new MemoryPageMedium(1 << 20), null);
        using BTree tree = BTree.CreateEmpty(store, 256);
        var table = new ExtentTable(tree);
        table.Insert(9, new Extent(10, 500, 6, Skewed, 1), default);
        var freed = new Collector();
        // what would be kept of another extent
        ulong removed = table.Punch(9, (ulong)fileBlock, (ulong)blocks, freed, keepPhys: 490 + (ulong)fileBlock);
        Assert.That(freed.Blocks, Is.EqualTo(expected.Select(b => (ulong)b)));
        Assert.That((freed.UnmappedBlocks, freed.KeptBlocks, freed.Cuts.Count), Is.EqualTo((removed, 0ul, 0)));
    }

    [Test]
    public void SkewedExtents_AreCutByShifts_AndNeitherJoinedAgainNorMarked()
    {
        using MemoryPageStore store = MemoryPageStore.Open(new MemoryPageMedium(1 << 20), null);
        using BTree tree = BTree.CreateEmpty(store, 256);
        var table = new ExtentTable(tree);
        table.Insert(9, new Extent(10, 500, 6, Skewed, 1), default);
        table.Insert(9, new Extent(16, 506, 2, Skewed, 1), default);
        var cuts = new Collector();
        table.Mark(9, 12, 5, new Marker(Step.Unseal));
        Assert.That(table.Shift(9, 12, 2, 100, up: true, cuts), Is.EqualTo(2ul));
        Assert.That(table.Shift(9, 112, 2, 100, up: false, cuts), Is.EqualTo(2ul));
        Assert.That(cuts.Cuts, Is.EqualTo(new ulong[] { 502, 504 }));
        var found = new List<(ulong, ulong, uint, uint)>();
        for (ulong at = 0; table.TryGetAt(9, at, out Extent extent); at = extent.FileEnd)
        {
            found.Add((extent.FileBlock, extent.PhysBlock, extent.Blocks, extent.Flags));
        }

        Assert.That(found, Is.EqualTo(new[]
        {
            (10ul, 500ul, 2u, Skewed), (12ul, 502ul, 2u, Skewed), (14ul, 504ul, 2u, Skewed), (16ul, 506ul, 2u, Skewed),
        }));
    }

    [Test]
    public void OnlyCheckedExtents_CanBeSkewed()
    {
        Assert.That(ExtentTable.CanBe(Skewed));
        const uint skew = 4095u << ExtentFlags.SkewShift;
        uint[] bad = [skew, skew | ExtentFlags.Sealed, skew | ExtentFlags.Unwritten, skew | ExtentFlags.Crc, Skewed | ExtentFlags.Crc, Skewed | 0x10000000u, Skewed | 0x8000u];
        Assert.That(bad.Where(ExtentTable.CanBe), Is.Empty);
    }

    private const uint Skewed = ExtentFlags.Sealed | ExtentFlags.Checked | (100u << ExtentFlags.SkewShift);

    private static void AssertSame(ExtentTable table, (ulong Phys, uint Flags, uint Crc)[] model)
    {
        var actual = new (ulong Phys, uint Flags, uint Crc)[Blocks];
        ulong at = 0;
        while (table.TryGetAt(7, at, out Extent extent))
        {
            ReadOnlySpan<uint> crcs = table.CrcsOf(7, extent);
            for (uint i = 0; i < extent.Blocks; i++)
            {
                uint crc = extent.HasCrc ? crcs[(int)i] : 0;
                actual[extent.FileBlock + i] = (extent.PhysBlock + i, extent.Flags & ~ExtentFlags.Crc, crc);
            }

            at = extent.FileEnd;
        }

        Assert.That(actual, Is.EqualTo(model));
    }

    private sealed class Collector : IFreedBlocks
    {
        public List<ulong> Blocks { get; } = [];

        public ulong KeptBlocks { get; private set; }

        public void Kept(ulong physBlock, ulong blocks, uint flags) => KeptBlocks += blocks;

        public List<ulong> Cuts { get; } = [];

        public ulong UnmappedBlocks { get; private set; }

        public void Unmapped(ulong blocks, uint flags) => UnmappedBlocks += blocks;

        public void Freed(ulong physBlock, ulong blocks, uint flags)
        {
            for (ulong i = 0; i < blocks; i++)
            {
                Blocks.Add(physBlock + i);
            }
        }

        public void CutWithin(ulong physBlock, ulong blocks)
        {
            for (ulong i = 0; i < blocks; i++)
            {
                Cuts.Add(physBlock + i);
            }
        }
    }
}
