// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Check;
using DeepLake.Engine.Ingest;
using DeepLake.Hash;
using DeepLake.Metadata.Tree;
using DeepLake.Platform;
using DeepLake.Sim;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>Identities of files and SHARE: what the engine makes of them, and what is impossible.</summary>
[TestFixture]
public sealed class ObjectTests() : LakeFixture(areNamed: true)
{
    private const uint Checked = ExtentFlags.Sealed | ExtentFlags.Checked;

    /// <summary>The list is the one of docs/on-disk-format.md.</summary>
    [Test]
    public void TheDataSeq_IsOfTheNewestIntentThatChangesBytesOrAllowsIt()
    {
        Map(20, 0, Data, 16);
        Changes(20, () => Map(20, 16, Data + 16, 8));
        Changes(20, () => Overwrite(20, 4, 2));
        Changes(20, () => Apply(new IntentUnmap { Ino = 20, FileBlock = 20, Blocks = 2 }, IntentOp.Unmap));
        Changes(20, () => Apply(new IntentShift { Ino = 20, FileBlock = 22, Blocks = 2, Distance = 2 }, IntentOp.Shift));
        Changes(20, () => Apply(new IntentSetattr { Ino = 20, Valid = AttrMask.Size, Size = 80_000 }, IntentOp.Setattr));
        Map(21, 0, Data + 100, 16);
        Changes(20, () => Apply(new IntentClone { SrcIno = 21, DstIno = 20, Blocks = 2 }, IntentOp.Clone));
        Keeps(21, () => Apply(new IntentClone { SrcIno = 21, DstIno = 20, Blocks = 2 }, IntentOp.Clone));
        Keeps(20, () => Seal(IntentOp.Seal, 20, 0, 30));
        Keeps(20, () => Seal(IntentOp.Checked, 20, 0, 30));
        Changes(20, () => Seal(IntentOp.Unseal, 20, 0, 4));
        Keeps(20, () => Apply(new IntentSetattr { Ino = 20, Valid = AttrMask.Mtime | AttrMask.Mode, Mode = 0x180 }, IntentOp.Setattr));
        Keeps(20, () => Apply(new IntentLink { Dir = 1, Ino = 20, NameBytes = 1 }, IntentOp.Link, IntentWriter.Name("x")));
        Complete(22, Data + 200, 4);
        Complete(23, Data + 300, 4);
        Keeps(23, () => Share(22, 23, 0, 4));
        AssertClean();
    }

    [Test]
    public void AnOverwrite_ChangesNoAttribute()
    {
        Map(20, 0, Data, 16);
        ulong seq = Inode(20).LastSeq;
        Overwrite(20, 4, 2);
        Assert.That(Inode(20).LastSeq, Is.EqualTo(seq));
    }

    [Test]
    public void AnIdentity_IsRefused_WhenTheFileIsNotWhatItWas_OrNotAllOfItIsChecked()
    {
        Map(20, 0, Data, 16);
        ulong seq = Inode(20).DataSeq;
        Assert.That(Put(20, 1, seq), Is.False, "nothing is checked");
        Seal(IntentOp.Seal, 20, 0, 16);
        Seal(IntentOp.Checked, 20, 0, 15);
        Assert.That(Put(20, 1, seq), Is.False, "one block is not");
        Seal(IntentOp.Checked, 20, 15, 1);
        Assert.That(Put(20, 1, seq - 1), Is.False);
        Assert.That(Engine.PutObject(20, seq, 65_535, Id(1)), Is.False);
        Assert.That(Engine.PutObject(1, 0, 4, Id(1)), Is.False);
        Assert.That(Engine.PutObject(99, 0, 4, Id(1)), Is.False);
        Assert.That(Put(20, 1, seq), Is.True);
        Assert.That(Engine.GetStats().Objects, Is.EqualTo(1ul));
        AssertClean();
        Apply(new IntentSetattr { Ino = 20, Valid = AttrMask.Size, Size = 65_000 }, IntentOp.Setattr);
        Assert.That(Put(20, 1, seq), Is.False);
        Assert.That(Put(20, 2, Inode(20).DataSeq), Is.True);
        Assert.That(Engine.GetStats().Objects, Is.EqualTo(1ul), "it was replaced");
        AssertClean();
    }

    [Test]
    public void NothingFollowsTheCleanMark()
    {
        Complete(20, Data, 4);
        Lake.Unmount(Engine);
        Assert.That(Put(20, 1, Inode(20).DataSeq), Is.False);
        Assert.That(Engine.HasUncommitted, Is.False);
    }

    [Test]
    public void TheEndOfAnInode_IsTheEndOfItsIdentity()
    {
        Identify(20, 1, Data);
        Identify(21, 2, Data + 100);
        Apply(new IntentUnlink { Dir = 1, Ino = 20, NameBytes = 2 }, IntentOp.Unlink, IntentWriter.Name("20"));
        Apply(new IntentRelease { Ino = 20 }, IntentOp.Release);
        Assert.That(Engine.GetStats().Objects, Is.EqualTo(1ul));
        Apply(new IntentUnlink { Dir = 1, Ino = 21, NameBytes = 2 }, IntentOp.Unlink, IntentWriter.Name("21"));
        AssertClean();
        Engine.Commit();
        Reopen();
        Lake.Mount(Engine); // orphans go
        Assert.That(Engine.GetStats().Objects, Is.Zero);
        AssertClean();
        Assert.That(Items(ItemType.Object) + Items(ItemType.Identity), Is.Zero);
    }

    [Test]
    public void AnotherFile_IsFoundByItsContent_WhileItsIdentityHolds()
    {
        Identify(20, 1, Data);
        Complete(21, Data + 100, 4);
        Complete(22, Data + 200, 4);
        Assert.That(Engine.FindEqual(21, 16_384, Id(1)), Is.EqualTo(new EqualFiles(20, 21)));
        Assert.That(Engine.FindEqual(21, 16_384, Id(2)), Is.Null);
        Assert.That(Engine.FindEqual(21, 16_383, Id(1)), Is.Null);
        Assert.That(Engine.FindEqual(20), Is.Null, "it is the only one");
        Assert.That(Put(21, 1, Inode(21).DataSeq));
        Assert.That(Engine.FindEqual(20), Is.EqualTo(new EqualFiles(20, 21)), "the one that has had it longer is the source");
        Share(20, 21, 0, 4);
        Assert.That(Engine.FindEqual(20), Is.Null, "they map the same");
        Assert.That(Engine.FindEqual(22, 16_384, Id(1)), Is.EqualTo(new EqualFiles(21, 22)));
        Overwrite(22, 200, 1); // nothing of it, but it counts
        Apply(new IntentUnmap { Ino = 21, Blocks = 1 }, IntentOp.Unmap);
        Assert.That(Engine.FindEqual(22, 16_384, Id(1)), Is.Null, "it has changed");
        AssertClean();
    }

    /// <summary>Two that share already are not torn apart for a third one that is older.</summary>
    [Test]
    public void WhatIsSharedAlready_IsTheSource()
    {
        Complete(22, Data + 200, 4);
        Identify(20, 1, Data);
        Identify(21, 1, Data + 100);
        Assert.That(Engine.FindEqual(22, 16_384, Id(1)), Is.EqualTo(new EqualFiles(22, 21)));
        Share(20, 21, 0, 4);
        Assert.That(Engine.FindEqual(22, 16_384, Id(1)), Is.EqualTo(new EqualFiles(21, 22)));
    }

    [Test]
    public void AShare_GivesTheSourcesBlocksWithTheirMarks_AndChangesNothingElse()
    {
        Complete(20, Data, 16, holeAt: 5);
        Complete(21, Data + 100, 16, holeAt: 5);
        Apply(new IntentMap { Ino = 21, FileBlock = 5, PhysBlock = Data + 50, Blocks = 1, Flags = ExtentFlags.Unwritten }, IntentOp.Map);
        InodeRecord source = Inode(20);
        InodeRecord target = Inode(21);
        var changed = new List<ulong>();
        Engine.Changes.Take(changed);
        changed.Clear();
        Share(20, 21, 2, 10);
        uint shared = ExtentFlags.Shared | Checked;
        Assert.That(
            Lake.Extents(Engine, 21),
            Is.EqualTo(new[]
            {
                (0ul, Data + 100, 2u, Checked),
                (2ul, Data + 2, 3u, shared),
                (6ul, Data + 6, 6u, shared),
                (12ul, Data + 112, 4u, Checked),
            }));
        EngineStats stats = Engine.GetStats();
        Assert.That(
            (stats.UsedBlocks, stats.SharedBlocks, stats.SavedBlocks, stats.SealedBlocks, stats.CheckedBlocks),
            Is.EqualTo((21ul, 9ul, 9ul, 30ul, 30ul)));
        target.LastSeq = source.LastSeq = Engine.AppliedSeq;
        target.Blocks = 15;
        Assert.That(Inode(20), Is.EqualTo(source));
        Assert.That(Inode(21), Is.EqualTo(target));
        Engine.Changes.Take(changed);
        Assert.That(changed, Is.Empty, "there is nothing to do for the ingest");
        Share(20, 21, 0, 16);
        Assert.That(Engine.GetStats().UsedBlocks, Is.EqualTo(15ul));
        AssertClean();
        Apply(new IntentUnmap { Ino = 20, Blocks = 16 }, IntentOp.Unmap);
        Assert.That(Engine.GetStats().UsedBlocks, Is.EqualTo(15ul));
        AssertClean();
    }

    [Test]
    public void ImpossibleShares_AreFaults()
    {
        Complete(20, Data, 16);
        Complete(21, Data + 100, 16);
        Map(22, 0, Data + 200, 16);
        Map(21, 12, Data + 300, 1);
        IntentShare[] bad =
        [
            new() { SrcIno = 20, DstIno = 99, Blocks = 1 },
            new() { SrcIno = 99, DstIno = 20, Blocks = 1 },
            new() { SrcIno = 20, DstIno = 1, Blocks = 1 },
            new() { SrcIno = 20, DstIno = 20, Blocks = 1 },
            new() { SrcIno = 20, DstIno = 21 },
            new() { SrcIno = 20, DstIno = 21, Blocks = LakeRing.CloneBlocksMax + 1 },
            new() { SrcIno = 20, DstIno = 21, DstBlock = ulong.MaxValue - 5, Blocks = 4 },
            new() { SrcIno = 20, DstIno = 21, Blocks = 13 },
            new() { SrcIno = 21, DstIno = 20, Blocks = 13 },
            new() { SrcIno = 22, DstIno = 20, Blocks = 1 },
            new() { SrcIno = 20, DstIno = 22, Blocks = 1 },
        ];
        ulong next = Engine.AppliedSeq + 1;
        foreach (IntentShare intent in bad)
        {
            Assert.That(() => Engine.Apply(IntentWriter.Encode(intent, IntentOp.Share, next)), Throws.InstanceOf<IntentFaultException>());
        }

        Assert.That(
            () => Engine.Apply(IntentWriter.Encode(new WalObject { Ino = 20 }, IntentOp.WalObject, next)),
            Throws.InstanceOf<IntentFaultException>(), "the daemon's own entry, from a kernel");
        Share(20, 21, 0, 12);
        AssertClean();
    }

    [Test]
    public void AllOfIt_IsTheSameAfterAReplay()
    {
        Complete(20, Data, 16);
        Complete(21, Data + 100, 16);
        Engine.Checkpoint();
        Assert.That(Put(20, 1, Inode(20).DataSeq));
        Map(22, 0, Data + 200, 4);
        Assert.That(Put(21, 1, Inode(21).DataSeq));
        Share(20, 21, 0, 16);
        Seal(IntentOp.Unseal, 20, 0, 3);
        Seal(IntentOp.Seal, 20, 0, 3);
        Seal(IntentOp.Checked, 20, 0, 3);
        Assert.That(Put(20, 3, Inode(20).DataSeq));
        Engine.Commit();
        string before = Lake.Dump(Engine);
        byte[] counters = Counters();
        Reopen();
        Assert.That(Lake.Dump(Engine), Is.EqualTo(before));
        Assert.That(Counters(), Is.EqualTo(counters));
        AssertClean();
    }

    /// <summary>
    /// A recovery that is short of room makes a checkpoint within a frame: what of it has no seq and is in the
    /// checkpoint must not be applied once more to a file that has changed since.
    /// </summary>
    [Test]
    public void ACheckpointWithinAFrame_HoldsTheIdentitiesBeforeIt()
    {
        Complete(20, Data, 4);
        Complete(21, Data + 100, 4);
        Engine.Checkpoint();
        ulong generation = Engine.Superblock.Generation;
        Assert.That(Put(20, 1, Inode(20).DataSeq));
        Map(20, 0, Data + 50, 1);
        Assert.That(Put(21, 1, Inode(21).DataSeq));
        Map(22, 0, Data + 200, 4);
        ulong applied = Engine.AppliedSeq;
        Engine.Commit();
        string before = Lake.Dump(Engine);
        Superblock older = Newest();
        Engine.Checkpoint();
        Superblock newer = Newest();
        Assert.That((older.Generation, newer.Generation, newer.CheckpointSeq), Is.EqualTo((generation, generation + 1, applied)));
        newer.CheckpointWalLsn = older.CheckpointWalLsn;
        newer.CheckpointWalOffset = older.CheckpointWalOffset;
        Store(newer);
        Reopen();
        Assert.That(Lake.Dump(Engine), Is.EqualTo(before));
        AssertClean();
    }

    [Test]
    public void TheChecker_NamesIdentitiesThatCannotBe()
    {
        Identify(20, 1, Data);
        Identify(21, 2, Data + 100);
        BTree tree = Engine.TreeForCheck();
        Map(22, 0, Data + 200, 4);
        ObjectItem item = Object(22);
        Put(tree, 22, item);
        Assert.That(Findings(), Has.Some.Contains("inode 22 (/22) has an identity that holds, and data that is not checked"));
        Assert.That(Findings(), Has.Some.Contains("2 files are counted that have an identity, 3 have one"));
        tree.Delete(new TreeKey(22, (uint)ItemType.Object, 0));
        AssertClean();
        Put(tree, 1, item with { DataSeq = 0, Size = 4 });
        Assert.That(Findings(), Has.Some.Contains("inode 1 (/) is no regular file but has an identity"));
        tree.Delete(new TreeKey(1, (uint)ItemType.Object, 0));
        Put(tree, 99, item);
        Assert.That(Findings(), Has.Some.Contains("inode 99 is referred to but does not exist"));
        tree.Delete(new TreeKey(99, (uint)ItemType.Object, 0));
        tree.Put(new TreeKey(ObjectIds.Identities, (uint)ItemType.Identity, 0x0202020202020202), BitConverter.GetBytes(20ul));
        Assert.That(Findings(), Has.Some.EqualTo("the identity 0202020202020202 names inode 20, which has none that begins so"));
        tree.Delete(new TreeKey(ObjectIds.Identities, (uint)ItemType.Identity, 0x0202020202020202));
        AssertClean();
    }

    /// <summary>Blocks that are what the table says, and yet not what the file was.</summary>
    [Test]
    public void TheChecker_ComparesContents_AndNamesTheFile()
    {
        byte[] bytes = new byte[4 * LakeFormat.BlockSize];
        new Random(5).NextBytes(bytes);
        Device.Write(bytes, (long)Data * LakeFormat.BlockSize);
        Complete(20, Data, 4);
        StoreSums(Data, 4);
        Apply(new IntentSetattr { Ino = 20, Valid = AttrMask.Size, Size = 16_000 }, IntentOp.Setattr);
        Assert.That(Engine.PutObject(20, Inode(20).DataSeq, 16_000, Blake3.Hash(bytes.AsSpan(0, 16_000))));
        Assert.That(Lake.CheckData(Engine, Device).Findings, Is.Empty);
        bytes[5000] ^= 1;
        Device.Write(bytes, (long)Data * LakeFormat.BlockSize);
        Assert.That(
            Lake.CheckData(Engine, Device).Findings, Is.EqualTo(new[] { Lake.Damage(20, 1, Data + 1) }));
        StoreSums(Data, 4);
        Assert.That(
            Lake.CheckData(Engine, Device).Findings,
            Has.Count.EqualTo(1).And.All.StartsWith("inode 20 (/20): its content is not the one that its identity says"));
    }

    /// <summary>Files that are given no identity: hashing the holes of these would take the checker an hour.</summary>
    [Test]
    public void TheChecker_PassesOverHolesThatNoIdentityCovers()
    {
        const ulong last = (8ul << 40) / LakeFormat.BlockSize;
        byte[] bytes = new byte[4 * LakeFormat.BlockSize];
        new Random(5).NextBytes(bytes);
        Device.Write(bytes, (long)Data * LakeFormat.BlockSize);
        Map(20, 0, Data, 1);
        Map(20, last, Data + 1, 3);
        foreach ((ulong block, uint blocks) in new[] { (0ul, 1u), (last, 3u) })
        {
            Seal(IntentOp.Seal, 20, block, blocks);
            Seal(IntentOp.Checked, 20, block, blocks);
        }

        StoreSums(Data, 4);
        Task<CheckReport> check = Task.Run(() => Lake.CheckData(Engine, Device));
        Assert.That(check.Wait(TimeSpan.FromSeconds(30)), "it hashes the holes");
        Assert.That((check.Result.Findings, check.Result.VerifiedBlocks), Is.EqualTo((Array.Empty<string>(), 4ul)));
        bytes[5000] ^= 1;
        Device.Write(bytes, (long)Data * LakeFormat.BlockSize);
        Assert.That(Lake.CheckData(Engine, Device).Findings, Is.EqualTo(new[] { Lake.Damage(20, last, Data + 1) }));
    }

    private static Blake3Hash Id(byte value)
    {
        byte[] bytes = new byte[32];
        Array.Fill(bytes, value);
        return Blake3Hash.Read(bytes);
    }

    private static void Put(BTree tree, ulong ino, ObjectItem item) =>
        tree.Put(new TreeKey(ino, (uint)ItemType.Object, 0), MemoryMarshal.AsBytes(new ReadOnlySpan<ObjectItem>(in item)));

    private ObjectItem Object(ulong ino) => new() { DataSeq = Inode(ino).DataSeq, Size = Inode(ino).Size };

    private void Reopen()
    {
        Engine.Dispose();
        Engine = Lake.Open(Device);
    }

    private Superblock Newest()
    {
        Superblock a = ReadSuperblock(LakeFormat.SuperblockABlock);
        Superblock b = ReadSuperblock(Engine.Superblock.DeviceBlocks - 1);
        return a.Generation > b.Generation ? a : b;
    }

    private Superblock ReadSuperblock(ulong block)
    {
        byte[] bytes = new byte[LakeFormat.BlockSize];
        Device.Read(bytes, (long)block * LakeFormat.BlockSize);
        return MemoryMarshal.Read<Superblock>(bytes);
    }

    private void Store(Superblock superblock)
    {
        superblock.Crc32c = 0;
        byte[] bytes = MemoryMarshal.AsBytes(new ReadOnlySpan<Superblock>(in superblock)).ToArray();
        superblock.Crc32c = Crc32C.Compute(bytes);
        ulong block = superblock.Generation % 2 == 1 ? LakeFormat.SuperblockABlock : superblock.DeviceBlocks - 1;
        Device.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<Superblock>(in superblock)).ToArray(), (long)block * LakeFormat.BlockSize);
    }

    private void StoreSums(ulong phys, int blocks)
    {
        using var table = new ChecksumTable(Device, Engine.Superblock);
        byte[] block = new byte[LakeFormat.BlockSize];
        for (ulong i = 0; i < (ulong)blocks; i++)
        {
            Device.Read(block, (long)(phys + i) * LakeFormat.BlockSize);
            table.Stage(phys + i, [Crc32C.Compute(block)]);
        }

        table.Store();
    }

    private int Items(ItemType type)
    {
        int count = 0;
        TreeKey at = default;
        BTree tree = Engine.TreeForCheck();
        while (tree.TryGetAtOrAfter(at, out TreeKey key, out _))
        {
            count += key.Type == (uint)type ? 1 : 0;
            at = new TreeKey(key.Object, key.Type, key.Offset + 1);
        }

        return count;
    }

    private void Changes(ulong ino, Action act)
    {
        act();
        Assert.That(Inode(ino).DataSeq, Is.EqualTo(Engine.AppliedSeq));
    }

    private void Keeps(ulong ino, Action act)
    {
        ulong seq = Inode(ino).DataSeq;
        act();
        Assert.That(Inode(ino).DataSeq, Is.EqualTo(seq));
        Assert.That(seq, Is.LessThan(Engine.AppliedSeq));
    }

    private void Map(ulong ino, ulong fileBlock, ulong phys, uint blocks) => Apply(
        new IntentMap { Ino = ino, FileBlock = fileBlock, PhysBlock = phys, Blocks = blocks, Size = (fileBlock + blocks) * 4096 }, IntentOp.Map);

    private void Overwrite(ulong ino, ulong fileBlock, ulong blocks)
    {
        var range = new BlockRange { Start = fileBlock, Count = blocks };
        Apply(new IntentOverwrite { Ino = ino, Count = 1 }, IntentOp.Overwrite, MemoryMarshal.AsBytes(new ReadOnlySpan<BlockRange>(in range)).ToArray());
    }

    private void Share(ulong source, ulong target, ulong fileBlock, ulong blocks) =>
        Apply(new IntentShare { SrcIno = source, DstIno = target, SrcPos = fileBlock * LakeFormat.BlockSize, DstBlock = fileBlock, Blocks = blocks }, IntentOp.Share);

    /// <summary>Written and checked all over, with a hole in it or without.</summary>
    private void Complete(ulong ino, ulong phys, uint blocks, uint holeAt = uint.MaxValue)
    {
        Map(ino, 0, phys, blocks);
        if (holeAt < blocks)
        {
            Apply(new IntentUnmap { Ino = ino, FileBlock = holeAt, Blocks = 1 }, IntentOp.Unmap);
        }

        Seal(IntentOp.Seal, ino, 0, blocks);
        Seal(IntentOp.Checked, ino, 0, blocks);
    }

    private bool Put(ulong ino, byte id, ulong dataSeq) => Engine.PutObject(ino, dataSeq, Inode(ino).Size, Id(id));

    private void Identify(ulong ino, byte id, ulong phys)
    {
        Complete(ino, phys, 4);
        Assert.That(Put(ino, id, Inode(ino).DataSeq));
    }

    private IReadOnlyList<string> Findings() => Lake.Check(Engine).Findings;
}
