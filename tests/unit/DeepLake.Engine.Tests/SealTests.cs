// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Check;
using DeepLake.Metadata.Tree;
using DeepLake.Sim;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>SEAL, CHECKED and UNSEAL as intents: what they do to a map, and what may not be done any more.</summary>
[TestFixture]
public sealed class SealTests() : LakeFixture(areNamed: false)
{
    private const uint Sealed = ExtentFlags.Sealed;
    private const uint Checked = ExtentFlags.Sealed | ExtentFlags.Checked;

    [Test]
    public void Mkfs_MakesATableForEveryDataBlock()
    {
        Superblock superblock = Engine.Superblock;
        Assert.That(superblock.Sums.Blocks * LakeFormat.SumsPerBlock, Is.GreaterThanOrEqualTo(superblock.Data.Blocks));
        Assert.That((superblock.Sums.Blocks - 2) * LakeFormat.SumsPerBlock, Is.LessThan(superblock.Data.Blocks));
        Assert.That(superblock.Sums.StartBlock + superblock.Sums.Blocks, Is.EqualTo(superblock.Anchors.StartBlock));
        Assert.That(superblock.Anchors.StartBlock + superblock.Anchors.Blocks, Is.EqualTo(superblock.Data.StartBlock));
        Assert.That(superblock.Data.StartBlock + superblock.Data.Blocks, Is.EqualTo(superblock.DeviceBlocks - 1));
    }

    [Test]
    public void Seal_MarksWhatIsWritten_AndCutsAtTheEnds()
    {
        Map(20, 2, Data, 8, ExtentFlags.Crc);
        Apply(new IntentMap { Ino = 20, FileBlock = 12, PhysBlock = Data + 50, Blocks = 4, Flags = ExtentFlags.Unwritten }, IntentOp.Map);
        Seal(IntentOp.Seal, 20, 4, 10);
        Assert.That(
            Lake.Extents(Engine, 20),
            Is.EqualTo(new[]
            {
                (2ul, Data, 2u, ExtentFlags.Crc),
                (4ul, Data + 2, 6u, ExtentFlags.Crc | Sealed),
                (12ul, Data + 50, 4u, ExtentFlags.Unwritten),
            }));
        AssertCounts(6, 0);
        Seal(IntentOp.Seal, 20, 0, 100);
        Assert.That(Lake.Extents(Engine, 20)[0], Is.EqualTo((2ul, Data, 8u, ExtentFlags.Crc | Sealed)), "what is alike is one extent again");
        AssertCounts(8, 0);
    }

    [Test]
    public void Checked_TakesTheTreesChecksumsAway_AndJoinsWhatTheyHadCut()
    {
        for (uint i = 0; i < 20; i++)
        {
            Map(20, i * 32, Data + (i * 32), 32, ExtentFlags.Crc);
        }

        Assert.That(Lake.Extents(Engine, 20), Has.Length.EqualTo(3), "256 blocks with checksums are the most of one item");
        Seal(IntentOp.Seal, 20, 0, 4096);
        Seal(IntentOp.Checked, 20, 0, 4096);
        Assert.That(Lake.Extents(Engine, 20), Is.EqualTo(new[] { (0ul, Data, 640u, Checked) }));
        AssertCounts(640, 640);
        Seal(IntentOp.Unseal, 20, 100, 100);
        Assert.That(
            Lake.Extents(Engine, 20).Select(e => (e.FileBlock, e.Flags & ~ExtentFlags.Shared)),
            Is.EqualTo(new[] { (0ul, Checked), (100ul, 0u), (200ul, Checked) }));
        AssertCounts(540, 540);
    }

    [Test]
    public void WhatReplacesOrFreesSealedBlocks_CountsThemNoMore()
    {
        Map(20, 0, Data, 32, ExtentFlags.Crc);
        Seal(IntentOp.Seal, 20, 0, 32);
        Seal(IntentOp.Checked, 20, 8, 16);
        AssertCounts(32, 16);
        Map(20, 4, Data + 100, 8, 0);
        AssertCounts(24, 12);
        Apply(new IntentUnmap { Ino = 20, FileBlock = 20, Blocks = 8 }, IntentOp.Unmap);
        AssertCounts(16, 8);
        Apply(
            new IntentShift { Ino = 20, FileBlock = 28, Blocks = 4, Distance = 8, Mtime = default, Ctime = default },
            IntentOp.Shift);
        AssertCounts(16, 8);
        Assert.That(Lake.Extents(Engine, 20).Single(e => e.FileBlock == 20).Flags & Sealed, Is.EqualTo(Sealed), "it moved with its mark");
        Apply(new IntentSetattr { Ino = 20, Valid = AttrMask.Size }, IntentOp.Setattr);
        AssertCounts(0, 0);
    }

    [Test]
    public void AClone_HasTheMarksOfItsSource()
    {
        Map(20, 0, Data, 16, ExtentFlags.Crc);
        Seal(IntentOp.Seal, 20, 0, 12);
        Seal(IntentOp.Checked, 20, 0, 8);
        Apply(new IntentClone { SrcIno = 20, DstIno = 21, Blocks = 16, Size = 65536 }, IntentOp.Clone);
        uint shared = ExtentFlags.Shared;
        Assert.That(
            Lake.Extents(Engine, 21).Select(e => (e.FileBlock, e.Flags)),
            Is.EqualTo(new[] { (0ul, Checked | shared), (8ul, Sealed | ExtentFlags.Crc | shared), (12ul, ExtentFlags.Crc | shared) }));
        AssertCounts(24, 16);
        Apply(new IntentRelease { Ino = 20 }, IntentOp.Release);
        AssertCounts(12, 8);
    }

    /// <summary>Written in place before, a power cut would bring the mark back over new bytes.</summary>
    [Test]
    public void WhatIsUnsealed_IsToldShared_UntilThatIsDurable()
    {
        Map(20, 0, Data, 16, ExtentFlags.Crc);
        Seal(IntentOp.Seal, 20, 0, 16);
        Seal(IntentOp.Checked, 20, 0, 16);
        Engine.Commit();
        Seal(IntentOp.Unseal, 20, 4, 4);
        Assert.That(
            Lake.Extents(Engine, 20).Select(e => (e.FileBlock, e.Flags)),
            Is.EqualTo(new[] { (0ul, Checked), (4ul, ExtentFlags.Shared), (8ul, Checked) }));
        Engine.Commit();
        Assert.That(
            Lake.Extents(Engine, 20).Select(e => (e.FileBlock, e.Flags)), Is.EqualTo(new[] { (0ul, Checked), (4ul, 0u), (8ul, Checked) }));
        AssertCounts(12, 12);
    }

    [Test]
    public void WhatIsSealed_IsNeitherWrittenInPlaceNorMappedAgain()
    {
        Map(20, 0, Data, 16, 0);
        Seal(IntentOp.Seal, 20, 8, 4);
        AssertFault(new IntentMap { Ino = 20, FileBlock = 6, PhysBlock = Data + 6, Blocks = 4 }, IntentOp.Map);
    }

    [TestCase(7ul, 2ul, true)]
    [TestCase(11ul, 40ul, true)]
    [TestCase(0ul, 8ul, false)]
    [TestCase(12ul, 99ul, false)]
    public void AnOverwriteOfSealedBlocks_IsAFault(ulong start, ulong count, bool faults)
    {
        Map(20, 0, Data, 16, ExtentFlags.Crc);
        Seal(IntentOp.Seal, 20, 8, 4);
        var range = new BlockRange { Start = start, Count = count };
        byte[] bytes = MemoryMarshal.AsBytes(new ReadOnlySpan<BlockRange>(in range)).ToArray();
        if (faults)
        {
            AssertFault(new IntentOverwrite { Ino = 20, Count = 1 }, IntentOp.Overwrite, bytes);
        }
        else
        {
            Apply(new IntentOverwrite { Ino = 20, Count = 1 }, IntentOp.Overwrite, bytes);
        }
    }

    [Test]
    public void ImpossibleSeals_AreFaults()
    {
        Map(20, 0, Data, 16, 0);
        Seal(IntentOp.Seal, 20, 0, 8);
        (IntentOp Op, IntentSeal Intent)[] bad =
        [
            (IntentOp.Seal, new() { Ino = 99, Blocks = 1 }),
            (IntentOp.Seal, new() { Ino = 1, Blocks = 1 }),
            (IntentOp.Seal, new() { Ino = 20 }),
            (IntentOp.Seal, new() { Ino = 20, Blocks = LakeRing.SealBlocksMax + 1 }),
            (IntentOp.Unseal, new() { Ino = 20, FileBlock = ulong.MaxValue, Blocks = 1 }),
        ];
        foreach ((IntentOp op, IntentSeal intent) in bad)
        {
            Assert.That(
                () => Engine.Apply(IntentWriter.Encode(intent, op, Engine.AppliedSeq + 1)), Throws.InstanceOf<IntentFaultException>());
        }

        AssertFault(new IntentSeal { Ino = 20, Blocks = 9 }, IntentOp.Checked);
    }

    [Test]
    public void Marks_AreTheSameAfterAReplay()
    {
        Map(20, 0, Data, 32, ExtentFlags.Crc);
        Engine.Checkpoint();
        Seal(IntentOp.Seal, 20, 3, 20);
        Seal(IntentOp.Checked, 20, 5, 10);
        Apply(new IntentClone { SrcIno = 20, DstIno = 21, Blocks = 16, Size = 65536 }, IntentOp.Clone);
        Seal(IntentOp.Unseal, 20, 7, 3);
        Engine.Commit();
        string before = Lake.Dump(Engine);
        byte[] counters = Counters();
        Engine.Dispose();
        Engine = Lake.Open(Device);
        Assert.That(Engine.ReplayedIntents, Is.EqualTo(4ul));
        Assert.That(Lake.Dump(Engine), Is.EqualTo(before));
        Assert.That(Counters(), Is.EqualTo(counters));
    }

    [TestCase(ExtentFlags.Checked, "checked and not sealed")]
    [TestCase(ExtentFlags.Sealed | ExtentFlags.Unwritten, "sealed and unwritten")]
    [TestCase(ExtentFlags.Sealed, "counted as sealed")]
    public void TheChecker_NamesMarksThatCannotBe(uint flags, string what)
    {
        Map(20, 0, Data, 4, 0);
        SetFlags(20, flags);
        Assert.That(Lake.Check(Engine).Findings, Has.Some.Contains(what));
    }

    [Test]
    public void TheChecker_NamesACheckedExtentThatHasChecksumsInTheTree()
    {
        Map(20, 0, Data, 4, ExtentFlags.Crc);
        SetFlags(20, Checked | ExtentFlags.Crc);
        Assert.That(Lake.Check(Engine).Findings, Has.Some.Contains("has checksums in the tree"));
    }

    private void SetFlags(ulong ino, uint flags)
    {
        BTree tree = Engine.TreeForCheck();
        Assert.That(tree.TryGetForWrite(new TreeKey(ino, (uint)ItemType.Extent, 0), out Span<byte> item));
        ref ExtentItem extent = ref MemoryMarshal.AsRef<ExtentItem>(item);
        extent.Flags = flags;
    }

    private void AssertFault<T>(T intent, IntentOp op, params byte[][] parts)
        where T : unmanaged
        => Assert.That(() => Apply(intent, op, parts), Throws.InstanceOf<IntentFaultException>());

    private void Map(ulong ino, ulong fileBlock, ulong phys, uint blocks, uint flags)
    {
        var crcs = new byte[(flags & ExtentFlags.Crc) != 0 ? blocks * 4 : 0];
        new Random((int)phys).NextBytes(crcs);
        Apply(
            new IntentMap { Ino = ino, FileBlock = fileBlock, PhysBlock = phys, Blocks = blocks, Flags = flags, Size = (fileBlock + blocks) * 4096 },
            IntentOp.Map,
            crcs);
    }

    private void AssertCounts(ulong sealedBlocks, ulong checkedBlocks)
    {
        EngineStats stats = Engine.GetStats();
        Assert.That((stats.SealedBlocks, stats.CheckedBlocks), Is.EqualTo((sealedBlocks, checkedBlocks)));
        Assert.That(Lake.Check(Engine).Findings, Is.Empty);
    }
}
