// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Sim;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>SHIFT: ranges of a file that lie elsewhere in it afterwards.</summary>
[TestFixture]
public sealed class ShiftTests() : LakeFixture(areNamed: false)
{
    [Test]
    public void AShift_TakesBlocksChecksumsAndMarksAlong_AndCutsWhatReachesOverItsEnd()
    {
        byte[] crcs = new byte[32 * 4];
        new Random(1).NextBytes(crcs);
        Map(10, 0, 32, ExtentFlags.Crc, crcs);
        Map(50, 40, 4, ExtentFlags.Unwritten);
        Map(60, 50, 6, 0);
        Apply(new IntentClone { SrcIno = 20, SrcBlock = 60, DstIno = 21, Blocks = 2 }, IntentOp.Clone);
        Apply(new IntentUnmap { Ino = 20, FileBlock = 15, Blocks = 5 }, IntentOp.Unmap);
        ulong used = Engine.GetStats().UsedBlocks;

        Shift(20, 41, 5, up: false, size: 266000);
        Assert.That(
            Lake.Extents(Engine, 20),
            Is.EqualTo(new[]
            {
                (10ul, Data, 5u, ExtentFlags.Crc),
                (15ul, Data + 10, 22u, ExtentFlags.Crc),
                (45ul, Data + 40, 4u, ExtentFlags.Unwritten),
                (55ul, Data + 50, 1u, ExtentFlags.Shared),
                (61ul, Data + 51, 1u, ExtentFlags.Shared),
                (62ul, Data + 52, 4u, 0u),
            }));
        Assert.That(Lake.Dump(Engine), Does.Contain(Convert.ToHexString(crcs, 40, 88)));
        Assert.That(SizeAndBlocks(20), Is.EqualTo((266000ul, 37ul)));

        Shift(30, 26, 100, up: true, size: 0);
        Assert.That(
            Lake.Extents(Engine, 20).Select(e => (e.FileBlock, e.PhysBlock - Data, e.Blocks)),
            Is.EqualTo(new[]
            {
                (10ul, 0ul, 5u), (15ul, 10ul, 15u), (61ul, 51ul, 1u), (62ul, 52ul, 4u), (130ul, 25ul, 7u), (145ul, 40ul, 4u),
                (155ul, 50ul, 1u),
            }));
        Assert.That(Lake.Dump(Engine), Does.Contain(Convert.ToHexString(crcs, 100, 28)));
        Assert.That((SizeAndBlocks(20), Engine.GetStats().UsedBlocks), Is.EqualTo(((266000ul, 37ul), used)));
        AssertClean();
    }

    [Test]
    public void WhatComesBackTogether_IsOneExtentAgain()
    {
        byte[] crcs = new byte[32 * 4];
        for (int i = 0; i < 8; i++)
        {
            Map((ulong)i * 25, (ulong)i * 25, 25, ExtentFlags.Crc, crcs[..100]);
        }

        Map(300, 400, 60, ExtentFlags.Unwritten);
        string before = Lake.Dump(Engine);
        Assert.That(Lake.Extents(Engine, 20), Has.Length.EqualTo(2));
        Shift(330, 30, 7, up: true);
        Shift(150, 180, 7, up: true);
        Shift(100, 50, 7, up: true);
        Assert.That(
            Lake.Extents(Engine, 20).Select(e => (e.FileBlock, e.Blocks)),
            Is.EqualTo(new[] { (0ul, 100u), (107ul, 100u), (307ul, 60u) }));
        Shift(107, 50, 7, up: false);
        Shift(157, 200, 7, up: false);
        Shift(357, 10, 7, up: false);
        AssertClean();
        Assert.That(WithoutInodes(Lake.Dump(Engine)), Is.EqualTo(WithoutInodes(before)));
    }

    /// <summary>As the kernel does it: all that is mapped behind a place, in steps.</summary>
    [TestCase(1)]
    [TestCase(2)]
    public void RandomCollapsesAndInserts_AgreeWithAnArray_AndAreReplayed(int seed)
    {
        var random = new Random(seed);
        var map = new List<ulong?>();
        for (ulong i = 0; i < 2500; i++)
        {
            bool hole = random.Next(5) == 0;
            map.Add(hole ? null : (2 * i) + Data);
            if (!hole)
            {
                uint flags = random.Next(3) switch { 0 => 0, 1 => ExtentFlags.Unwritten, _ => ExtentFlags.Crc };
                Map(i, 2 * i, 1, flags, new byte[flags == ExtentFlags.Crc ? 4 : 0]);
            }
        }

        for (int round = 0; round < 80; round++)
        {
            int at = random.Next(map.Count - 50);
            int distance = random.Next(1, random.Next(3) == 0 ? 400 : 20);
            if (random.Next(2) == 0 && map.Count < 4000)
            {
                StepsUp(random, (ulong)at, (ulong)map.Count, (ulong)distance);
                map.InsertRange(at, new ulong?[distance]);
            }
            else
            {
                distance = Math.Min(distance, map.Count - at - 1);
                Apply(new IntentUnmap { Ino = 20, FileBlock = (ulong)at, Blocks = (ulong)distance }, IntentOp.Unmap);
                StepsDown(random, (ulong)(at + distance), (ulong)map.Count, (ulong)distance);
                map.RemoveRange(at, distance);
            }

            if (round % 20 == 19)
            {
                AssertIs(map);
                AssertClean();
                Engine.Commit();
            }
        }

        string dump = Lake.Dump(Engine);
        Engine.Dispose();
        Engine = Lake.Open(Device);
        AssertIs(map);
        AssertClean();
        Assert.That(Lake.Dump(Engine), Is.EqualTo(dump));
    }

    [Test]
    public void ImpossibleShifts_AreFaults()
    {
        Map(20, 0, 10, 0);
        Map(40, 10, 10, 0);
        for (uint i = 0; i < 2; i++)
        {
            Map(1000 + (i * 4000), 100 + (i * 4000), 4000, ExtentFlags.Unwritten);
        }

        ulong next = Engine.AppliedSeq + 1;
        IntentShift[] bad =
        [
            new() { Ino = 99, FileBlock = 20, Blocks = 10, Distance = 5 },
            new() { Ino = 1, FileBlock = 20, Blocks = 10, Distance = 5 },
            new() { Ino = 20, FileBlock = 20, Distance = 5 },
            new() { Ino = 20, FileBlock = 20, Blocks = 10 },
            new() { Ino = 20, FileBlock = 20, Blocks = 10, Distance = 21 },
            new() { Ino = 20, FileBlock = 20, Blocks = 10, Distance = 5, Flags = 2 },
            new() { Ino = 20, FileBlock = 20, Blocks = 10, Distance = 5, Pad = 1 },
            new() { Ino = 20, FileBlock = 20, Blocks = 10, Distance = 5, Size = ulong.MaxValue },
            new() { Ino = 20, FileBlock = 25, Blocks = 5, Distance = 1 },
            new() { Ino = 20, FileBlock = 40, Blocks = 10, Distance = 11 },
            new() { Ino = 20, FileBlock = 20, Blocks = 5, Distance = 1, Flags = LakeRing.ShiftUp },
            new() { Ino = 20, FileBlock = 20, Blocks = 10, Distance = 11, Flags = LakeRing.ShiftUp },
            new() { Ino = 20, FileBlock = 40, Blocks = 10, Distance = 1ul << 51, Flags = LakeRing.ShiftUp },
            new() { Ino = 20, FileBlock = ulong.MaxValue, Blocks = 10, Distance = 5, Flags = LakeRing.ShiftUp },
            new() { Ino = 20, FileBlock = 1000, Blocks = 4097, Distance = 5 },
        ];
        foreach (IntentShift intent in bad)
        {
            Assert.That(() => Engine.Apply(IntentWriter.Encode(intent, IntentOp.Shift, next)), Throws.InstanceOf<IntentFaultException>());
        }
    }

    /// <summary>Inodes say which intent changed them last.</summary>
    private static string[] WithoutInodes(string dump) =>
        [.. dump.Split('\n').Where(line => line.Split(' ')[^1].Trim().Length != 2 * 152)];

    private void Map(ulong fileBlock, ulong at, uint blocks, uint flags, params byte[] crcs) => Apply(
        new IntentMap { Ino = 20, FileBlock = fileBlock, PhysBlock = Data + at, Blocks = blocks, Flags = flags },
        IntentOp.Map,
        crcs);

    private void Shift(ulong fileBlock, ulong blocks, ulong distance, bool up, ulong size = 0) => Apply(
        new IntentShift
        {
            Ino = 20,
            FileBlock = fileBlock,
            Blocks = blocks,
            Distance = distance,
            Flags = up ? LakeRing.ShiftUp : 0,
            Size = size,
        },
        IntentOp.Shift);

    private void StepsUp(Random random, ulong from, ulong end, ulong distance)
    {
        while (end > from)
        {
            ulong start = end - Math.Min(end - from, (ulong)random.Next(1, 900));
            Shift(start, end - start, distance, up: true);
            end = start;
        }
    }

    private void StepsDown(Random random, ulong from, ulong end, ulong distance)
    {
        while (from < end)
        {
            ulong blocks = Math.Min(end - from, (ulong)random.Next(1, 900));
            Shift(from, blocks, distance, up: false);
            from += blocks;
        }
    }

    private (ulong Size, ulong Blocks) SizeAndBlocks(ulong ino) => (Inode(ino).Size, Inode(ino).Blocks);

    private void AssertIs(List<ulong?> map)
    {
        var told = Lake.Extents(Engine, 20).SelectMany(e => Enumerable.Range(0, (int)e.Blocks).Select(i =>
            (e.FileBlock + (ulong)i, e.PhysBlock + (ulong)i)));
        var expected = map.Select((phys, i) => ((ulong)i, phys)).Where(b => b.phys != null).Select(b => (b.Item1, b.phys!.Value));
        Assert.That(told, Is.EqualTo(expected));
    }
}
