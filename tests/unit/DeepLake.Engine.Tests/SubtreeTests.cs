// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.Subtree;
using DeepLake.Sim;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>What is in a folder: each inode and each block once, and whose the blocks are.</summary>
[TestFixture]
public sealed class SubtreeTests() : LakeFixture(areNamed: true)
{
    private const uint Directory = 0x41ed;
    private ulong _ino = 100;

    [Test]
    public void EachInodeCountsOnce_ByItsKind()
    {
        ulong top = Make(1, "top", Directory);
        ulong below = Make(top, "below", Directory);
        ulong file = Make(below, "file", 0x81a4);
        Make(below, "link", 0xa1ff, link: "somewhere");
        Make(top, "pipe", 0x11a4);
        Link(top, file, "again");
        Link(1, file, "outside");
        Write(file, 0, Data, 3);
        SubtreeTotals totals = Walk(top).Totals;
        Assert.That((totals.Files, totals.Directories, totals.Symlinks, totals.Specials, totals.FurtherNames), Is.EqualTo((1ul, 2ul, 1ul, 1ul, 1ul)));
        Assert.That((totals.LogicalBytes, totals.MappedBlocks, totals.StoredBlocks, totals.ExclusiveBlocks), Is.EqualTo((12288ul, 3ul, 3ul, 3ul)));
        Assert.That(totals.Zones[0], Is.EqualTo(new ZoneTotals(5, 12288, 3)));
        Assert.That(totals.Zones.Skip(1), Is.All.EqualTo(default(ZoneTotals)));
    }

    [Test]
    public void BlocksThatOthersHave_AreNotExclusive_AndThoseSharedWithinAre()
    {
        ulong top = Make(1, "top", Directory);
        ulong a = Make(top, "a", 0x81a4);
        ulong b = Make(top, "b", 0x81a4);
        Write(a, 0, Data, 16);
        Clone(a, 0, b, 0, 16); // within it
        Clone(a, 12, 20, 0, 4); // and the last four with one elsewhere
        Apply(new IntentMap { Ino = b, FileBlock = 100, PhysBlock = Data + 100, Blocks = 8, Flags = ExtentFlags.Unwritten }, IntentOp.Map);
        SubtreeTotals totals = Walk(top).Totals;
        Assert.That((totals.MappedBlocks, totals.UnwrittenBlocks), Is.EqualTo((40ul, 8ul)));
        Assert.That((totals.StoredBlocks, totals.ExclusiveBlocks, totals.SavedBlocks), Is.EqualTo((24ul, 20ul, 16ul)));
        SubtreeTotals other = Walk(20).Totals;
        Assert.That((other.Files, other.StoredBlocks, other.ExclusiveBlocks, other.SavedBlocks), Is.EqualTo((1ul, 4ul, 0ul, 0ul)));
        SubtreeTotals all = Walk(1).Totals;
        Assert.That((all.ExclusiveBlocks, all.StoredBlocks), Is.EqualTo((24ul, 24ul)), "nobody else is left");
        Assert.That(all.SavedBlocks, Is.EqualTo(Engine.GetStats().SavedBlocks));
    }

    [Test]
    public void ASmallWindow_TakesMorePasses_AndGivesTheSame()
    {
        ulong top = Make(1, "top", Directory);
        ulong a = Make(top, "a", 0x81a4);
        ulong b = Make(top, "b", 0x81a4);
        ulong last = Engine.Superblock.Data.StartBlock + Engine.Superblock.Data.Blocks - 40;
        Write(a, 0, Data, 16);
        Write(a, 16, last, 16);
        Clone(a, 0, b, 0, 32);
        Clone(a, 30, 21, 0, 2);
        SubtreeWalk small = Walk(top, 8192);
        SubtreeWalk large = Walk(top);
        Assert.That((small.Passes, large.Passes), Is.EqualTo((3, 1)));
        foreach (SubtreeTotals totals in new[] { small.Totals, large.Totals })
        {
            Assert.That((totals.MappedBlocks, totals.StoredBlocks, totals.ExclusiveBlocks, totals.SavedBlocks), Is.EqualTo((64ul, 32ul, 30ul, 32ul)));
            Assert.That((totals.Files, totals.FurtherNames), Is.EqualTo((2ul, 0ul)));
        }
    }

    [Test]
    public void ALargeFolder_IsDoneInParts()
    {
        ulong top = Make(1, "top", Directory);
        ulong at = top;
        for (int i = 0; i < 40; i++)
        {
            at = Make(at, "deeper", Directory);
        }

        for (int i = 0; i < 3000; i++)
        {
            Make(i % 2 == 0 ? top : at, $"a file with a name {i}", 0x81a4);
        }

        var walk = new SubtreeWalk(top);
        int parts = 1;
        for (; !Engine.Advance(walk); parts++)
        {
            Assert.That(walk.Visited, Is.LessThanOrEqualTo(((ulong)parts * 1024) + 1));
        }

        Assert.That(parts, Is.GreaterThan(2));
        Assert.That((walk.Totals.Files, walk.Totals.Directories), Is.EqualTo((3000ul, 41ul)));
    }

    [Test]
    public void WhatIsGone_IsMissing()
    {
        SubtreeWalk walk = Walk(4711);
        Assert.That((walk.IsDone, walk.IsMissing), Is.EqualTo((true, true)));
    }

    /// <summary>Between two parts a folder may come to be in one of those that are still to be looked through.</summary>
    [Test]
    public void FoldersThatMoveMeanwhile_CountOnce()
    {
        ulong top = Make(1, "top", Directory);
        ulong early = Make(top, "early", Directory);
        for (int i = 0; i < 3000; i++)
        {
            Make(early, $"{i}", 0x81a4);
        }

        ulong late = Make(top, "late", Directory);
        var walk = new SubtreeWalk(top);
        Engine.Advance(walk);
        Engine.Advance(walk);
        Apply(
            new IntentRename { SrcDir = top, DstDir = late, Ino = early, SrcBytes = 5, DstBytes = 5 }, IntentOp.Rename,
            IntentWriter.Name("early"), IntentWriter.Name("early"));
        while (!Engine.Advance(walk))
        {
        }

        Assert.That((walk.Totals.Files, walk.Totals.Directories), Is.EqualTo((3000ul, 3ul)));
    }

    private SubtreeWalk Walk(ulong ino, ulong windowBlocks = SharedCounts.WindowBlocksMost)
    {
        var walk = new SubtreeWalk(ino, windowBlocks);
        while (!Engine.Advance(walk))
        {
        }

        return walk;
    }

    private ulong Make(ulong dir, string name, uint mode, string link = "")
    {
        ulong ino = _ino++;
        byte[][] parts = link.Length > 0 ? [IntentWriter.Name(name), IntentWriter.Name(link)] : [IntentWriter.Name(name)];
        Apply(
            new IntentCreate { Dir = dir, Ino = ino, Mode = mode, NameBytes = (ushort)name.Length, LinkBytes = (ushort)link.Length },
            IntentOp.Create, parts);
        return ino;
    }

    private void Link(ulong dir, ulong ino, string name) =>
        Apply(new IntentLink { Dir = dir, Ino = ino, NameBytes = (ushort)name.Length }, IntentOp.Link, IntentWriter.Name(name));

    private void Clone(ulong from, ulong fromBlock, ulong to, ulong toBlock, ulong blocks) =>
        Apply(new IntentClone { SrcIno = from, SrcBlock = fromBlock, DstIno = to, DstBlock = toBlock, Blocks = blocks }, IntentOp.Clone);
}
