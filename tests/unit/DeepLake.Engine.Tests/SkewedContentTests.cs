// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine.Archive;
using DeepLake.Engine.Ingest;
using DeepLake.Engine.Scrub;
using DeepLake.Hash;
using DeepLake.Metadata.Tree;
using DeepLake.Sim;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>What reads or proves the content of files, with skewed extents in them.</summary>
[TestFixture]
public sealed class SkewedContentTests : SkewFixture
{
    private const int Length = 700; // more than is read at once, in three parts
    private const int Skew = 1500;
    private const ulong Size = (Length * Block) - 123;

    private byte[] _content = null!;

    /// <summary>File 21 has the bytes of file 20 from 1500 on.</summary>
    [SetUp]
    public void Skewed()
    {
        _content = WriteChecked(20, 0, Data + 100, Length + 1)[Skew..((Length * Block) + Skew)];
        Share(20, Skew, 21, 0, Length);
        SetSize(21, Size);
        AssertSound();
    }

    [Test]
    public void TheIdentity_IsThatOfTheBytes()
    {
        using var table = new ChecksumTable(Device, Engine.Superblock);
        using var readBack = new ReadBack(Device, table);
        Assert.That(Reread(readBack), Is.EqualTo(Id()));
        Assert.That((readBack.Damaged.Count, readBack.BlocksRead), Is.EqualTo((0, 703ul)));
        Assert.That(Engine.PutObject(21, Inode(21).DataSeq, Size, Id()));
        AssertSound();
        Assert.That(Lake.CheckData(Engine, Device).VerifiedBlocks, Is.EqualTo((ulong)(2 * (Length + 1))));
    }

    [TestCase(0, new ulong[] { 0 })]
    [TestCase(1, new ulong[] { 0, 1 })]
    [TestCase(256, new ulong[] { 255, 256 })]
    [TestCase(Length, new ulong[] { Length - 1 })]
    public void ADamagedBlock_IsUpToTwoOfTheFile(int deviceBlock, ulong[] fileBlocks)
    {
        ulong damaged = Data + 100 + (ulong)deviceBlock;
        FlipBit(((long)damaged * Block) + 1700);
        using var table = new ChecksumTable(Device, Engine.Superblock);
        using var readBack = new ReadBack(Device, table);
        Reread(readBack);
        Assert.That(readBack.Damaged, Is.EqualTo(fileBlocks));

        string named = $"inode 21 (/21): its bytes {fileBlocks[0] * Block} to {((fileBlocks[^1] + 1) * Block) - 1} are damaged "
            + $"(at byte {damaged * Block} of the device, block {damaged}): they do not match their checksum";
        Assert.That(Findings(), Is.EqualTo(new[] { Lake.Damage(20, (ulong)deviceBlock, damaged), named }));

        var found = new List<(ulong, ulong, ulong)>();
        Scrub(f => found.Add((f.Ino, f.FileBlock, f.PhysBlock)));
        Assert.That(found, Is.EquivalentTo(fileBlocks.Select(b => (21ul, b, damaged)).Append((20ul, (ulong)deviceBlock, damaged))));
        foreach ((ulong ino, ulong fileBlock, ulong phys) in found)
        {
            Assert.That(Engine.LookAtPlace(ino, fileBlock, phys) is { IsMapped: true, IsThere: true, IsShared: true });
        }

        Assert.That(Engine.LookAtPlace(21, fileBlocks[^1] + 1, damaged).IsMapped, Is.False);
    }

    /// <summary>Nobody else has the blocks any more, so nobody else finds it.</summary>
    [TestCase(0)]
    [TestCase(Length)]
    public void TheScrub_ReadsTheOuterBlocks(int deviceBlock)
    {
        Remove(20);
        FlipBit(((long)Data + 100 + deviceBlock) * Block);
        var found = new List<(ulong, ulong)>();
        ScrubItem item = Scrub(f => found.Add((f.Ino, f.FileBlock)));
        Assert.That(found, Is.EqualTo(new[] { (21ul, (ulong)Math.Max(0, deviceBlock - 1)) }));
        Assert.That((item.EndedBlocks, item.EndedDamaged), Is.EqualTo(((ulong)Length, 1ul)));
        Assert.That(Engine.PathsOf(21, 8), Is.EqualTo(new[] { "/21" }));
    }

    [Test]
    public void TheChecker_FindsAWrongSkew()
    {
        Assert.That(Engine.PutObject(21, Inode(21).DataSeq, Size, Id()));
        AssertSound();
        Change(Extent with { Flags = Checked | ((Skew + 1u) << ExtentFlags.SkewShift) });
        Assert.That(Findings(), Has.Count.EqualTo(1).And.All.StartsWith("inode 21 (/21): its content is not the one that its identity says"));
        Change(Extent with { Flags = ExtentFlags.Sealed | ((uint)Skew << ExtentFlags.SkewShift) });
        Assert.That(Lake.Check(Engine).Findings, Has.Some.EqualTo("inode 21 (/21): extent at block 0 is skewed or packed and not checked"));
        Change(Extent with { Flags = Checked | 0x10000000u });
        Assert.That(Lake.Check(Engine).Findings, Has.Some.EqualTo("inode 21 (/21): extent at block 0 is malformed"));
    }

    [Test]
    public void TheChecker_FindsABlockBehindTheEndOfTheRegion()
    {
        ulong end = Engine.Superblock.Data.StartBlock + Engine.Superblock.Data.Blocks;
        Change(Extent with { PhysBlock = end - Length });
        Assert.That(Lake.Check(Engine).Findings, Has.Some.EqualTo("inode 21 (/21): extent at block 0 points outside the data region"));
    }

    [Test]
    public void TheChecker_FindsAReferenceThatIsNotCounted()
    {
        Engine.TreeForCheck().Put(
            new TreeKey(ObjectIds.Shared, (uint)ItemType.Shared, Data + 100),
            MemoryMarshal.AsBytes<uint>(new uint[] { Length, 2 }));
        Assert.That(
            Lake.Check(Engine).Findings,
            Is.EqualTo(new[] { $"block {Data + 100 + Length} is mapped 2 times, its references are not counted" }));
    }

    [Test]
    public void ARebuild_KeepsThem_AndProvesThem()
    {
        Assert.That(Engine.PutObject(21, Inode(21).DataSeq, Size, Id()));
        Remove(20);
        RebuildResult result = Rebuild();
        Assert.That((result.DamagedBlocks, result.MendedSums, result.UnprovenBlocks, result.BlocksRead), Is.EqualTo((0ul, 0ul, 0ul, 701ul)));
        Assert.That(Lake.Extents(Engine, 21), Is.EqualTo(new[] { (0ul, Data + 100, (uint)Length, Told(Skew)) }));
        Assert.That(Read(21, Length), Is.EqualTo(_content));
        AssertSound();
    }

    /// <summary>Of its first and last block a skewed extent has a part: where others have none, nobody reads the rest.</summary>
    [Test]
    public void ARebuild_MendsTheChecksums_WhenAllFilesThatHaveTheBlockAreProven(
        [Values(0, 256, Length)] int deviceBlock, [Values] bool isOtherThere)
    {
        Assert.That(Engine.PutObject(21, Inode(21).DataSeq, Size, Id()));
        if (!isOtherThere)
        {
            Remove(20); // else it has all of the block, and no identity
        }

        ulong block = Data + 100 + (ulong)deviceBlock;
        FlipBit(((long)Engine.Superblock.Sums.StartBlock * Block) + ((long)(block - Engine.Superblock.Data.StartBlock) * sizeof(uint)));
        bool isProven = !isOtherThere || deviceBlock == 256;
        RebuildResult result = Rebuild();
        Assert.That((result.DamagedBlocks, result.MendedSums, result.UnprovenBlocks), Is.EqualTo((isProven ? 0ul : 1ul, isProven ? 1ul : 0ul, 0ul)));
        Assert.That(Findings(), isProven ? Is.Empty : Is.Not.Empty);
    }

    /// <summary>The same blocks at another skew are other bytes.</summary>
    [Test]
    public void OnlyTheSameBytes_AreSharedAlready()
    {
        Blake3Hash id = Id();
        Share(20, 0, 22, 0, 10);
        SetSize(22, 10 * Block);
        Share(20, Skew, 23, 0, 10);
        SetSize(23, 10 * Block);
        Assert.That(Engine.PutObject(22, Inode(22).DataSeq, 10 * Block, id));
        Assert.That(Engine.PutObject(23, Inode(23).DataSeq, 10 * Block, id));
        Assert.That(Engine.LookForShare(22, 23, 0, 10)!.IsShared, Is.False);
        Assert.That(Engine.FindEqual(22), Is.Not.Null);
        Share(22, 0, 23, 0, 10);
        Assert.That(Engine.LookForShare(22, 23, 0, 10)!.IsShared);
        Assert.That(Engine.FindEqual(22), Is.Null);
        SealView before = Engine.LookForSeal(23, 0, 10)!;
        Share(20, 5, 23, 0, 10);
        Assert.That(Engine.LookForSeal(23, 0, 10)!.IsSealedWhere(before), Is.False);
    }

    private Blake3Hash Id() => Blake3.Hash(_content.AsSpan(0, (int)Size));

    private ExtentItem Extent => new() { PhysBlock = Data + 100, Blocks = Length, Flags = Checked | ((uint)Skew << ExtentFlags.SkewShift), BirthSeq = 1 };

    private void Change(ExtentItem item) => Engine.TreeForCheck().Put(
        new TreeKey(21, (uint)ItemType.Extent, 0), MemoryMarshal.AsBytes(new ReadOnlySpan<ExtentItem>(in item)));

    private Blake3Hash Reread(ReadBack readBack)
    {
        var hasher = new ContentHasher();
        hasher.Begin(Size);
        readBack.Reread(Engine.LookForSeal(21, 0, Length)!, hasher);
        Assert.That(hasher.TryFinish(Length, out Blake3Hash id));
        return id;
    }

    private ScrubItem Scrub(Action<ScrubFinding> found)
    {
        var ledger = new ScrubLedger();
        ledger.Start(0, 5);
        using var reader = new ScrubReader(Device, Engine.Superblock);
        var pass = new ScrubPass(Engine, reader, ledger) { Now = () => 77, Found = found };
        for (int steps = 0; ledger.IsRunning && steps < 1000; steps++)
        {
            pass.Advance();
        }

        return ledger.Copy().Item;
    }

    private RebuildResult Rebuild()
    {
        Lake.Unmount(Engine);
        Superblock superblock = Engine.Superblock;
        Engine.Dispose();
        Device.Write(new byte[superblock.Pages.StartBlock * Block], 0);
        Device.Write(new byte[Block], (long)(superblock.DeviceBlocks - 1) * Block);
        using var planner = new RebuildPlanner(Device);
        RebuildPlan plan = planner.Plan(ArchiveSurvey.Read(Device));
        RebuildResult result = new LakeRebuilder(Device, plan, Lake.Options).Run();
        Engine = Lake.Open(Device);
        return result;
    }
}
