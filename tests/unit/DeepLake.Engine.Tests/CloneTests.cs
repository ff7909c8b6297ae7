// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Check;
using DeepLake.Sim;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>Blocks that several files share: CLONE, who frees them, and what the kernel is told.</summary>
[TestFixture]
public sealed class CloneTests() : LakeFixture(areNamed: false)
{
    [Test]
    public void AClone_MapsTheSameBlocksWithTheirChecksums_AndLeavesUnwrittenOnesOut()
    {
        byte[] crcs = new byte[32];
        new Random(1).NextBytes(crcs);
        Apply(new IntentMap { Ino = 20, FileBlock = 2, PhysBlock = Data, Blocks = 8, Flags = ExtentFlags.Crc, Size = 40960 }, IntentOp.Map, crcs);
        Apply(new IntentMap { Ino = 20, FileBlock = 10, PhysBlock = Data + 50, Blocks = 4, Flags = ExtentFlags.Unwritten }, IntentOp.Map);
        Apply(new IntentMap { Ino = 21, FileBlock = 100, PhysBlock = Data + 60, Blocks = 20 }, IntentOp.Map);
        Clone(20, 4, 21, 104, 12, size: 116 * 4096);
        Assert.That(
            Extents(21),
            Is.EqualTo(new[]
            {
                (100ul, Data + 60, 4u, 0u),
                (104ul, Data + 2, 6u, ExtentFlags.Crc | ExtentFlags.Shared),
                (116ul, Data + 76, 4u, 0u),
            }));
        Assert.That(
            Extents(20),
            Is.EqualTo(new[]
            {
                (2ul, Data, 2u, ExtentFlags.Crc),
                (4ul, Data + 2, 6u, ExtentFlags.Crc | ExtentFlags.Shared),
                (10ul, Data + 50, 4u, ExtentFlags.Unwritten),
            }));
        Assert.That(Lake.Dump(Engine), Does.Contain(Convert.ToHexString(crcs, 8, 24)));
        EngineStats stats = Engine.GetStats();
        Assert.That((stats.UsedBlocks, stats.SharedBlocks, stats.SavedBlocks), Is.EqualTo((20ul, 6ul, 6ul)));
        AssertClean();
    }

    [Test]
    public void Blocks_AreFreedWithTheirLastReference_WhateverTakesIt()
    {
        Apply(new IntentMap { Ino = 20, PhysBlock = Data, Blocks = 16, Size = 65536 }, IntentOp.Map);
        Clone(20, 0, 21, 0, 16);
        Clone(21, 4, 22, 0, 8);
        Clone(20, 0, 20, 32, 6);
        AssertClean();
        Assert.That(Engine.GetStats().SavedBlocks, Is.EqualTo(30ul));
        Apply(new IntentMap { Ino = 20, FileBlock = 2, PhysBlock = Data + 20, Blocks = 4 }, IntentOp.Map);
        AssertClean();
        Apply(new IntentUnmap { Ino = 21, FileBlock = 6, Blocks = 3 }, IntentOp.Unmap);
        AssertClean();
        Apply(new IntentSetattr { Ino = 20, Valid = AttrMask.Size }, IntentOp.Setattr);
        AssertClean();
        Assert.That(Engine.GetStats().UsedBlocks, Is.EqualTo(16ul));
        Apply(new IntentRelease { Ino = 21 }, IntentOp.Release);
        AssertClean();
        Assert.That(Engine.GetStats().UsedBlocks, Is.EqualTo(8ul));
        Apply(new IntentRelease { Ino = 22 }, IntentOp.Release);
        EngineStats stats = Engine.GetStats();
        Assert.That((stats.UsedBlocks, stats.SharedBlocks, stats.SavedBlocks), Is.EqualTo((0ul, 0ul, 0ul)));
        AssertClean();
    }

    /// <summary>Written in place, the block would be wrong in the file that a power cut brings back.</summary>
    [Test]
    public void TheLastOwner_IsToldShared_UntilTheOthersLossIsDurable()
    {
        Apply(new IntentMap { Ino = 20, PhysBlock = Data, Blocks = 8, Size = 32768 }, IntentOp.Map);
        Clone(20, 0, 21, 0, 8);
        Engine.Commit();
        Apply(new IntentUnmap { Ino = 21, FileBlock = 2, Blocks = 2 }, IntentOp.Unmap);
        Apply(new IntentUnmap { Ino = 21, FileBlock = 6, Blocks = 2 }, IntentOp.Unmap);
        Assert.That(Extents(20).Select(e => e.Flags), Is.All.EqualTo(ExtentFlags.Shared));
        Engine.Commit();
        Apply(new IntentUnmap { Ino = 21, FileBlock = 0, Blocks = 2 }, IntentOp.Unmap);
        Assert.That(
            Extents(20),
            Is.EqualTo(new[]
            {
                (0ul, Data, 2u, ExtentFlags.Shared),
                (2ul, Data + 2, 2u, 0u),
                (4ul, Data + 4, 2u, ExtentFlags.Shared),
                (6ul, Data + 6, 2u, 0u),
            }));
        Engine.Commit();
        Assert.That(Extents(20).Select(e => (e.FileBlock, e.Flags)), Is.EqualTo(new[] { (0ul, 0u), (4ul, ExtentFlags.Shared), (6ul, 0u) }));
    }

    [TestCase(7)]
    [TestCase(8)]
    public void RandomClones_AgreeWithAModel_InMapsMarksAndCounts(int seed)
    {
        Engine.Dispose();
        Lake.Format(Device);
        Engine = Lake.Open(Device);
        Lake.Mount(Engine);
        var kernel = new SimKernel(seed);
        for (int step = 0; step < 3000; step++)
        {
            kernel.Step(Engine);
            if (step % 500 == 499)
            {
                Engine.Commit();
                Engine.Commit();
                AssertAgrees(kernel);
            }
        }

        Assert.That(Engine.GetStats().SharedBlocks, Is.GreaterThan(0ul), "nothing was shared: the test is blind");
    }

    [Test]
    public void ImpossibleClones_AreFaults()
    {
        Apply(new IntentMap { Ino = 20, PhysBlock = Data, Blocks = 16, Size = 65536 }, IntentOp.Map);
        ulong next = Engine.AppliedSeq + 1;
        IntentClone[] bad =
        [
            new() { SrcIno = 20, DstIno = 99, Blocks = 1 },
            new() { SrcIno = 99, DstIno = 20, Blocks = 1 },
            new() { SrcIno = 20, DstIno = 1, Blocks = 1 },
            new() { SrcIno = 20, DstIno = 21 },
            new() { SrcIno = 20, DstIno = 21, Blocks = LakeRing.CloneBlocksMax + 1 },
            new() { SrcIno = 20, DstIno = 20, SrcBlock = 4, DstBlock = 7, Blocks = 4 },
            new() { SrcIno = 20, DstIno = 21, DstBlock = ulong.MaxValue, Blocks = 4 },
            new() { SrcIno = 20, DstIno = 21, Blocks = 4, Size = ulong.MaxValue },
        ];
        foreach (IntentClone intent in bad)
        {
            Assert.That(() => Engine.Apply(IntentWriter.Encode(intent, IntentOp.Clone, next)), Throws.InstanceOf<IntentFaultException>());
        }
    }

    [Test]
    public void Trim_LeasesFreeRunsInOrder_AndNothingElse()
    {
        ulong end = Data + Engine.Superblock.Data.Blocks;
        Apply(new IntentMap { Ino = 20, FileBlock = 0, PhysBlock = Data + 10, Blocks = 10 }, IntentOp.Map);
        Apply(new IntentMap { Ino = 20, FileBlock = 50, PhysBlock = Data + 24, Blocks = 6 }, IntentOp.Map);
        Apply(new IntentUnmap { Ino = 20, FileBlock = 50, Blocks = 6 }, IntentOp.Unmap);
        Assert.That(Trim(Data, Data + 40, 1), Is.EqualTo(new[] { (Data, 10ul), (Data + 20, 4ul), (Data + 30, 10ul) }));
        Assert.That(Trim(Data, Data + 40, 1), Is.Empty, "a range is leased to one trim only");
        Engine.Commit();
        Assert.That(Trim(Data, Data + 40, 1), Is.EqualTo(new[] { (Data + 24, 6ul) }));
        Assert.That(Trim(Data, Data + 47, 8), Is.Empty);
        ulong free = Engine.GetStats().FreeBlocks;
        ulong rest = 0;
        for (ulong at = 0; ;)
        {
            (ulong Start, ulong Count)[] more = Trim(at, ulong.MaxValue, 1);
            if (more.Length == 0)
            {
                break;
            }

            rest += more.Aggregate(0ul, (sum, r) => sum + r.Count);
            at = more[^1].Start + more[^1].Count;
            Assert.That(at, Is.LessThanOrEqualTo(end));
        }

        Assert.That(rest, Is.EqualTo(free));
    }

    private void Clone(ulong source, ulong from, ulong target, ulong to, ulong blocks, ulong size = 0) => Apply(
        new IntentClone { SrcIno = source, SrcBlock = from, DstIno = target, DstBlock = to, Blocks = blocks, Size = size },
        IntentOp.Clone);

    private (ulong Start, ulong Count)[] Trim(ulong start, ulong end, ulong minimum)
    {
        var request = new RequestTrim
        {
            Header = new RequestHeader { Len = 56, Op = RequestOp.Trim },
            Start = start,
            End = end,
            MinBlocks = minimum,
            MaxBlocks = 4096,
        };
        byte[] payload = new byte[4096];
        int bytes = Engine.HandleRequest(MemoryMarshal.AsBytes(new ReadOnlySpan<RequestTrim>(in request)), payload, out _);
        return [.. MemoryMarshal.Cast<byte, BlockRange>(payload.AsSpan(0, bytes)).ToArray().Select(r => (r.Start, r.Count))];
    }

    private (ulong FileBlock, ulong PhysBlock, uint Blocks, uint Flags)[] Extents(ulong ino) => Lake.Extents(Engine, ino);

    private void AssertAgrees(SimKernel kernel)
    {
        AssertClean();
        var refs = new Dictionary<ulong, int>();
        foreach ((ulong _, var blocks) in kernel.Maps)
        {
            foreach (ModelBlock block in blocks.Values)
            {
                refs[block.Phys] = refs.GetValueOrDefault(block.Phys) + 1;
            }
        }

        foreach ((ulong ino, var blocks) in kernel.Maps)
        {
            var told = Extents(ino).SelectMany(e => Enumerable.Range(0, (int)e.Blocks).Select(i =>
                (e.FileBlock + (ulong)i, e.PhysBlock + (ulong)i, e.Flags & (ExtentFlags.Shared | ExtentFlags.Unwritten))));
            var expected = blocks.Select(b =>
                (b.Key, b.Value.Phys, (refs[b.Value.Phys] > 1 ? ExtentFlags.Shared : 0) | (b.Value.Flags & ExtentFlags.Unwritten)));
            Assert.That(told, Is.EqualTo(expected));
        }

        EngineStats stats = Engine.GetStats();
        Assert.That(stats.UsedBlocks, Is.EqualTo((ulong)refs.Count));
        Assert.That(stats.SharedBlocks, Is.EqualTo((ulong)refs.Values.Count(r => r > 1)));
        Assert.That(stats.SavedBlocks, Is.EqualTo((ulong)refs.Values.Sum(r => r - 1)));
    }
}
