// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Metadata.Tables;
using DeepLake.Metadata.Tree;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Metadata.Tests;

/// <summary>Packed extents in maps: each part of one refers to all device blocks of the pack.</summary>
[TestFixture]
public sealed class PackedExtentTests
{
    private static readonly Extent Packed = Extent.InPack(10, 500, 3, 4, 6);

    [TestCase(0, 30, new[] { 500, 501, 502 }, new int[0], TestName = "Punch_OfAllOfAPackedExtent_FreesThePack")]
    [TestCase(10, 2, new int[0], new int[0], TestName = "Punch_OfItsBeginning_LeavesThePackToTheRest")]
    [TestCase(14, 20, new int[0], new int[0], TestName = "Punch_OfItsEnd_LeavesThePackToTheRest")]
    [TestCase(12, 1, new int[0], new[] { 500, 501, 502 }, TestName = "Punch_OfItsMiddle_AddsAReferenceToAllOfThePack")]
    [TestCase(20, 5, new int[0], new int[0], TestName = "Punch_BehindIt_IsNothing")]
    public void APunchedPackedExtent(int fileBlock, int blocks, int[] freed, int[] cuts)
    {
        using var maps = new Maps();
        maps.Table.Insert(9, Packed, default);
        // as if the same number were a block of the device, which would be kept
        ulong removed = maps.Table.Punch(9, (ulong)fileBlock, (ulong)blocks, maps, keepPhys: Packed.PhysBlock + (ulong)fileBlock - 10);
        Assert.That(maps.Left, Is.EqualTo(freed.Select(b => (ulong)b)));
        Assert.That(maps.Cuts, Is.EqualTo(cuts.Select(b => (ulong)b)));
        Assert.That((maps.Gone, maps.KeptBlocks), Is.EqualTo((removed, 0ul)));
    }

    [Test]
    public void ItsParts_HaveThePlacesThatTheyHad()
    {
        using var maps = new Maps();
        maps.Table.Insert(9, Packed, default);
        maps.Table.Punch(9, 12, 1, maps);
        Assert.That(maps.All(), Is.EqualTo(new[] { Packed.Slice(10, 12), Packed.Slice(13, 16) }));
        Assert.That(maps.All().Select(e => (e.DeviceBlock, e.DeviceBlocks, e.PackIndex)), Is.EqualTo(new[] { (500ul, 3u, 4), (500ul, 3u, 7) }));
    }

    [Test]
    public void PackedExtents_AreCutByShifts_AndNeitherJoinedAgainNorMarked()
    {
        using var maps = new Maps();
        maps.Table.Insert(9, Packed, default);
        maps.Table.Insert(9, Extent.InPack(16, 500, 3, 10, 2), default); // it goes on in the same pack
        Assert.That(maps.All(), Has.Count.EqualTo(2));
        maps.Table.Mark(9, 12, 5, maps);
        Assert.That(maps.All(), Has.Count.EqualTo(2), "a mark cuts it");
        Assert.That(maps.Table.Shift(9, 12, 2, 100, up: true, maps), Is.EqualTo(2ul));
        Assert.That(maps.Table.Shift(9, 112, 2, 100, up: false, maps), Is.EqualTo(2ul));
        Assert.That(maps.Cuts, Is.EqualTo(new ulong[] { 500, 501, 502, 500, 501, 502 }));
        Assert.That(maps.All(), Is.EqualTo(new[]
        {
            Packed.Slice(10, 12), Packed.Slice(12, 14), Packed.Slice(14, 16), Extent.InPack(16, 500, 3, 10, 2),
        }));
    }

    [Test]
    public void OnlyCheckedExtents_CanBePacked()
    {
        const uint marks = ExtentFlags.Sealed | ExtentFlags.Checked;
        Assert.That(ExtentTable.CanBe(Packed.Flags));
        Assert.That(ExtentTable.CanBe(marks | ExtentFlags.Packed | ExtentFlags.SpanMask));
        uint[] bad =
        [
            ExtentFlags.Packed, ExtentFlags.Packed | ExtentFlags.Sealed, ExtentFlags.Packed | ExtentFlags.Unwritten, Packed.Flags | ExtentFlags.Crc,
            Packed.Flags | ExtentFlags.Unwritten, Packed.Flags | 0x00200000u, Packed.Flags | 0x10000000u, Packed.Flags | ExtentFlags.Inline,
        ];
        Assert.That(bad.Where(ExtentTable.CanBe), Is.Empty);
    }

    [TestCase(0, 32u, true)]
    [TestCase(31, 1u, true)]
    [TestCase(31, 2u, false)]
    [TestCase(1, 32u, false)]
    public void AnExtent_EndsInItsPack(int index, uint blocks, bool fits)
    {
        Extent extent = Extent.InPack(0, 7, 1, (uint)index, blocks);
        Assert.That(Extent.FitsItsPack(extent.PhysBlock, extent.Blocks, extent.Flags), Is.EqualTo(fits));
        using var maps = new Maps();
        maps.Table.Insert(9, extent, default);
        Assert.That(() => maps.Table.TryGetAt(9, 0, out _), fits ? Throws.Nothing : Throws.InstanceOf<MetadataCorruptException>());
    }

    [Test]
    public void APlace_EqualsNoPlaceOfTheDevice()
    {
        Extent plain = new(10, Packed.PhysBlock, 6, ExtentFlags.Sealed | ExtentFlags.Checked, 0);
        Assert.That(plain.FirstByte, Is.Not.EqualTo(Packed.FirstByte));
        Assert.That((Packed.IsSkewed, Packed.IsPlain, Packed.Skew), Is.EqualTo((false, false, 0)));
        Assert.That(Packed.FileBlocksOf(502), Is.EqualTo((10ul, 16ul)));
    }

    private sealed class Maps : IFreedBlocks, IMarkedExtents, IDisposable
    {
        private readonly MemoryPageStore _store = MemoryPageStore.Open(new MemoryPageMedium(1 << 20), null);
        private readonly BTree _tree;

        public Maps()
        {
            _tree = BTree.CreateEmpty(_store, 256);
            Table = new ExtentTable(_tree);
        }

        public ExtentTable Table { get; }

        public List<ulong> Left { get; } = [];

        public List<ulong> Cuts { get; } = [];

        public ulong Gone { get; private set; }

        public ulong KeptBlocks { get; private set; }

        public List<Extent> All()
        {
            var all = new List<Extent>();
            for (ulong at = 0; Table.TryGetAt(9, at, out Extent extent); at = extent.FileEnd)
            {
                all.Add(extent);
            }

            return all;
        }

        public uint FlagsOf(in Extent extent) => throw new InvalidOperationException("packed extents are not marked");

        public void Unmapped(ulong blocks, uint flags) => Gone += blocks;

        public void Freed(ulong physBlock, ulong blocks, uint flags) => Left.AddRange(Run(physBlock, blocks));

        public void Kept(ulong physBlock, ulong blocks, uint flags) => KeptBlocks += blocks;

        public void CutWithin(ulong physBlock, ulong blocks) => Cuts.AddRange(Run(physBlock, blocks));

        public void Dispose()
        {
            _tree.Dispose();
            _store.Dispose();
        }

        private static IEnumerable<ulong> Run(ulong start, ulong blocks) => Enumerable.Range(0, (int)blocks).Select(i => start + (ulong)i);
    }
}
