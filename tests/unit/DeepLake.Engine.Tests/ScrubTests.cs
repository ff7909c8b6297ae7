// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine.Ingest;
using DeepLake.Engine.Scrub;
using DeepLake.Metadata.Tree;
using DeepLake.Platform;
using DeepLake.Sim;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>A pass over all checked blocks of a lake that goes on meanwhile.</summary>
[TestFixture]
public sealed class ScrubTests() : LakeFixture(areNamed: true)
{
    private const int StepsMost = 10_000;

    private ScrubLedger _ledger = null!;
    private List<string> _told = null!;

    [SetUp]
    public void Begin()
    {
        _ledger = new ScrubLedger();
        _told = [];
    }

    [Test]
    public void SoundFiles_AreReadToTheLastBlock_AndNothingIsFound()
    {
        Write(20, 3, Data + 1000, 300);
        Write(21, 0, Data + 5000, 2000);
        Apply(new IntentMap { Ino = 22, FileBlock = 0, PhysBlock = Data + 40, Blocks = 4 }, IntentOp.Map);
        Run();
        ScrubItem item = _ledger.Copy().Item;
        Assert.That((item.State, item.Pass, item.EndedPass, item.EndedBlocks), Is.EqualTo((ScrubStage.Idle, 1ul, 1ul, 2300ul)));
        Assert.That(item.EndedBlocks, Is.EqualTo(Engine.GetStats().CheckedBlocks));
        Assert.That((item.EndedDamaged, _told.Count), Is.EqualTo((0ul, 0)));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void AWrongBit_OfABlockOrOfItsEntry_IsNamed(bool inData)
    {
        Write(20, 0, Data + 1020, 8);
        Write(21, 0, Data + 3000, 8);
        FlipBit(inData
            ? (long)(Data + 1024) * Block
            : ((long)Engine.Superblock.Sums.StartBlock * Block) + (1024 * sizeof(uint)));
        Run();
        Assert.That(_told, Is.EqualTo(new[] { $"20:4 at {Data + 1024} Differs" }));
        Assert.That(Engine.PathsOf(20, 8), Is.EqualTo(new[] { "/20" }));
        Assert.That(_ledger.Copy().Item.EndedDamaged, Is.EqualTo(1ul));
        AssertFindings((20, 4, Data + 1024, 1));
    }

    /// <summary>Each block of the device is read and counted once, and all that map it are named: a part of a file and an unchecked copy, too.</summary>
    [Test]
    public void ASharedBlock_IsFoundOnce_WithAllItsFiles()
    {
        Write(20, 0, Data + 200, 16);
        Apply(new IntentClone { SrcIno = 20, SrcBlock = 4, DstIno = 22, DstBlock = 100, Blocks = 8, Size = 108 * Block }, IntentOp.Clone);
        Apply(new IntentClone { SrcIno = 20, DstIno = 23, Blocks = 4, Size = 4 * Block }, IntentOp.Clone);
        Write(21, 0, Data + 300, 16);
        FlipBit((long)(Data + 206) * Block);
        FlipBit((long)(Data + 207) * Block);
        var reads = new List<long>();
        Run(new WatchedDevice(Device) { Reading = (offset, bytes) => reads.Add(bytes) });
        Assert.That(_told, Is.EquivalentTo(new[]
        {
            $"20:6 at {Data + 206} Differs", $"20:7 at {Data + 207} Differs",
            $"22:102 at {Data + 206} Differs", $"22:103 at {Data + 207} Differs",
        }));
        AssertFindings((20, 6, Data + 206, 2), (22, 102, Data + 206, 2));
        ScrubItem item = _ledger.Copy().Item;
        Assert.That((item.EndedDamaged, item.EndedBlocks), Is.EqualTo((2ul, 44ul)));
        Assert.That(reads.Where(b => b > Block).Sum() / Block, Is.LessThanOrEqualTo(32), "what is shared was read again for the other files");
    }

    [Test]
    public void ANameOfEachLink_IsGiven_AndNoneOfAnOrphan()
    {
        Apply(new IntentCreate { Dir = 1, Ino = 30, Mode = 0x41ed, NameBytes = 3 }, IntentOp.Create, IntentWriter.Name("sub"));
        Apply(new IntentLink { Dir = 30, Ino = 20, NameBytes = 5 }, IntentOp.Link, IntentWriter.Name("other"));
        Assert.That(Engine.PathsOf(20, 8), Is.EqualTo(new[] { "/20", "/sub/other" }));
        Assert.That(Engine.PathsOf(20, 1), Is.EqualTo(new[] { "/20" }));
        Write(21, 0, Data + 10, 2);
        FlipBit((long)(Data + 11) * Block);
        Apply(new IntentUnlink { Dir = 1, Ino = 21, NameBytes = 2 }, IntentOp.Unlink, IntentWriter.Name("21"));
        Run();
        Assert.That(_told, Is.EqualTo(new[] { $"21:1 at {Data + 11} Differs" }), "somebody may still have it open");
        Assert.That(Engine.PathsOf(21, 8), Is.Empty);
    }

    /// <summary>At each moment of the pass: before the read, behind it, between the questions.</summary>
    [TestCase(0)]
    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    [TestCase(4)]
    public void ABlockThatIsFreedAndUsedAgain_IsNoDamage(int steps)
    {
        FreeDuring(steps, Engine);
        Assert.That(_told, Is.Empty);
        Assert.That(_ledger.Copy().Item.EndedDamaged, Is.Zero);
    }

    /// <summary>The control of the test above: without the questions each of its moments gives a finding.</summary>
    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    [TestCase(4)]
    public void WhoDoesNotAskAgain_CallsItDamaged(int steps)
    {
        FreeDuring(steps, new CredulousEngine(Engine));
        Assert.That(_told, Is.EqualTo(new[] { $"20:3 at {Data + 103} Differs" }));
    }

    private void FreeDuring(int steps, IScrubEngine engine)
    {
        Write(20, 0, Data + 100, 8);
        FlipBit((long)(Data + 103) * Block); // as if it were written already: else nobody would look twice
        _ledger.Start(0, 5);
        using var reader = new ScrubReader(Device, Engine.Superblock);
        ScrubPass pass = NewPass(reader, engine);
        for (int i = 0; i < steps; i++)
        {
            pass.Advance();
        }

        Apply(new IntentUnmap { Ino = 20, FileBlock = 3, Blocks = 1 }, IntentOp.Unmap);
        Engine.Commit();
        Fill(Data + 103, 1, 99);
        Apply(new IntentMap { Ino = 21, PhysBlock = Data + 103, Blocks = 1, Size = Block }, IntentOp.Map);
        Finish(pass);
    }

    /// <summary>The file moves elsewhere and the same block comes back to it with other bytes, checked: all within one step.</summary>
    [Test]
    public void ABlockThatCameBack_IsReadAgain()
    {
        Write(20, 0, Data + 100, 8);
        _ledger.Start(0, 5);
        int reads = 0;
        var device = new WatchedDevice(Device);
        device.Reading = (offset, bytes) =>
        {
            if (offset != (long)(Data + 100) * Block || reads++ > 0)
            {
                return;
            }

            FlipBit((long)(Data + 101) * Block);
            device.AfterRead = () =>
            {
                Apply(new IntentUnmap { Ino = 20, FileBlock = 1, Blocks = 1 }, IntentOp.Unmap);
                Engine.Commit();
                Write(20, 1, Data + 101, 1);
            };
        };
        using var reader = new ScrubReader(device, Engine.Superblock);
        Finish(NewPass(reader));
        Assert.That(reads, Is.EqualTo(1));
        Assert.That(_told, Is.Empty);
    }

    /// <summary>A log that is written all the time is damaged all the same.</summary>
    [Test]
    public void AFileThatChangesElsewhere_IsNamed()
    {
        Write(20, 0, Data + 100, 8);
        FlipBit((long)(Data + 103) * Block);
        _ledger.Start(0, 5);
        using var reader = new ScrubReader(Device, Engine.Superblock);
        ScrubPass pass = NewPass(reader);
        for (uint i = 0; _ledger.IsRunning && i < 100; i++)
        {
            pass.Advance();
            Apply(new IntentMap { Ino = 20, FileBlock = 20 + i, PhysBlock = Data + 500 + i, Blocks = 1, Size = (21 + i) * Block }, IntentOp.Map);
        }

        Assert.That(_told, Is.EqualTo(new[] { $"20:3 at {Data + 103} Differs" }));
    }

    [Test]
    public void WhatCannotBeRead_IsNamed_AndTheRestIsRead()
    {
        Write(20, 0, Data + 100, 600);
        FlipBit((long)(Data + 105) * Block);
        Run(new WatchedDevice(Device) { BadBlock = Data + 400 });
        AssertFindings((20, 5, Data + 105, 1), (20, 300, Data + 400, 1));
        Assert.That(_ledger.Copy().Findings.Select(f => f.Kind), Is.EqualTo(new[] { ScrubKind.Differs, ScrubKind.Unreadable }));
        Assert.That(_ledger.Copy().Item.EndedBlocks, Is.EqualTo(600ul));
    }

    [Test]
    public void ADeviceThatIsGone_EndsIt_AndIsNoDamage()
    {
        Write(20, 0, Data + 100, 8);
        _ledger.Start(0, 5);
        using var reader = new ScrubReader(new WatchedDevice(Device) { Reading = (_, _) => throw new StorageException(Errno.ENXIO, "gone") }, Engine.Superblock);
        Assert.That(() => Finish(NewPass(reader)), Throws.TypeOf<StorageException>());
        Assert.That((_told.Count, _ledger.Position), Is.EqualTo((0, default(ScrubPosition))));
    }

    [Test]
    public void StoppedAndStarted_ItGoesOnWhereItWas()
    {
        Write(20, 0, Data + 100, 8);
        Write(21, 0, Data + 1000, 3000);
        FlipBit((long)(Data + 101) * Block);
        FlipBit((long)(Data + 3999) * Block);
        _ledger.Start(0, 5);
        using var reader = new ScrubReader(Device, Engine.Superblock);
        ScrubPass pass = NewPass(reader);
        while (_ledger.Position.Ino < 21)
        {
            pass.Advance();
        }

        Assert.That(_ledger.Stop());
        ScrubPosition position = _ledger.Position;
        pass.Advance();
        pass.Advance();
        Assert.That(_ledger.Position, Is.EqualTo(position), "nothing happens while it is stopped");
        Assert.That(_ledger.Stop(), Is.False);
        Assert.That(_ledger.Start(7, 99), Is.True);
        Assert.That(_ledger.Start(8, 100), Is.False, "it is under way");
        Finish(pass);
        ScrubItem item = _ledger.Copy().Item;
        Assert.That((item.Pass, item.BegunSec, item.EndedBlocks, item.EndedDamaged, item.BytesPerSecond), Is.EqualTo((1ul, 5ul, 3008ul, 2ul, 8ul)));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void APosition_IsKeptWithWhatIsDurable(bool clean)
    {
        Write(20, 0, Data + 100, 8);
        Write(21, 0, Data + 1000, 3000);
        FlipBit((long)(Data + 101) * Block);
        _ledger.Start(12345, 5);
        using (var reader = new ScrubReader(Device, Engine.Superblock))
        {
            ScrubPass pass = NewPass(reader);
            while (_ledger.Position.Ino < 21)
            {
                pass.Advance();
            }
        }

        ScrubRecord record = _ledger.Copy();
        Assert.That(Engine.PutScrub(record), Is.True);
        AssertClean();
        if (clean)
        {
            Lake.Unmount(Engine);
            Assert.That(Engine.PutScrub(record), Is.False, "nothing follows the clean mark");
        }

        Engine.Commit();
        Reopen();
        ScrubRecord loaded = Engine.LoadScrub();
        Assert.That(loaded.Item, Is.EqualTo(record.Item with { Findings = 1 }));
        Assert.That(loaded.Findings, Is.EqualTo(record.Findings));
        Lake.Mount(Engine);
        AssertClean();
        _ledger = new ScrubLedger();
        _ledger.Load(loaded);
        Assert.That(_ledger.IsRunning);
        using (var reader = new ScrubReader(Device, Engine.Superblock))
        {
            Finish(NewPass(reader));
        }

        Assert.That(_ledger.Copy().Item.EndedBlocks, Is.EqualTo(3008ul));
        AssertFindings((20, 1, Data + 101, 1));
    }

    /// <summary>The entries have no seq: applied twice, or from a checkpoint between them, they give the same pages.</summary>
    [Test]
    public void AReplay_GivesTheSameItem()
    {
        Write(20, 0, Data + 100, 8);
        for (ulong pass = 1; pass < 6; pass++)
        {
            Assert.That(Engine.PutScrub(RecordOf(pass, (int)pass * 3)), Is.True);
            Apply(new IntentSetattr { Ino = 20, Valid = AttrMask.Uid, Uid = (uint)pass }, IntentOp.Setattr);
            if (pass == 3)
            {
                Engine.Checkpoint();
            }
        }

        Engine.Commit();
        string item = Item();
        string rest = Lake.Dump(Engine);
        Reopen();
        Assert.That((Item(), Lake.Dump(Engine)), Is.EqualTo((item, rest)));
        Assert.That(Engine.LoadScrub().Findings, Has.Count.EqualTo(15));
        AssertClean();
    }

    [Test]
    public void MoreFindingsThanTheItemHasRoomFor_AreCut_NotRefused()
    {
        Assert.That(Engine.PutScrub(RecordOf(1, 100)), Is.True);
        Engine.Commit();
        Reopen();
        Assert.That(Engine.LoadScrub().Findings, Has.Count.EqualTo(LakeFormat.ScrubFindingsMax));
        AssertClean();
    }

    [Test]
    public void AnEntryThatCannotBe_IsAFault()
    {
        var finding = new ScrubFinding { Blocks = 1, PhysBlock = Data };
        byte[] bytes = MemoryMarshal.AsBytes(new ReadOnlySpan<ScrubFinding>(in finding)).ToArray();
        AssertFault(new WalScrub(), bytes);
        AssertFault(new WalScrub { Scrub = new ScrubItem { Findings = 2 } }, bytes);
        AssertFault(new WalScrub { Scrub = new ScrubItem { State = (ScrubStage)3 } });
        AssertFault(new WalScrub { Scrub = new ScrubItem { Findings = 21 } }, [.. Enumerable.Repeat(bytes, 21).SelectMany(b => b)]);
    }

    [Test]
    public void TheChecker_KnowsTheItem()
    {
        Assert.That(Engine.PutScrub(RecordOf(1, 1)), Is.True);
        AssertClean();
        BTree tree = Engine.TreeForCheck();
        var key = new TreeKey(ObjectIds.State, (uint)ItemType.Scrub, 0);
        tree.TryGet(key, out ReadOnlySpan<byte> data);
        byte[] good = data.ToArray();
        tree.Put(key, good.AsSpan(0, good.Length - 8));
        Assert.That(Lake.Check(Engine).Findings, Is.EqualTo(new[] { "the item of the scrub is malformed" }));
        good[^4] = 9; // its kind
        tree.Put(key, good);
        Assert.That(Lake.Check(Engine).Findings.Single(), Does.StartWith("a finding of the scrub is impossible"));
    }

    [Test]
    public void TheNextPass_ForgetsWhatIsNotThereAnyMore()
    {
        Write(20, 0, Data + 100, 8);
        FlipBit((long)(Data + 102) * Block);
        FlipBit((long)(Data + 103) * Block);
        Run();
        AssertFindings((20, 2, Data + 102, 2));
        FlipBit((long)(Data + 102) * Block);
        Run();
        AssertFindings((20, 3, Data + 103, 1));
        Assert.That((_ledger.Copy().Item.Pass, _ledger.Copy().Item.EndedDamaged), Is.EqualTo((2ul, 1ul)));
    }

    [Test]
    public void Findings_AreBounded_AndCounted()
    {
        Write(20, 0, Data + 100, 1000);
        for (ulong i = 0; i < 1000; i += 2)
        {
            FlipBit((long)(Data + 100 + i) * Block);
        }

        Run();
        ScrubRecord record = _ledger.Copy();
        Assert.That((record.Item.EndedDamaged, record.Findings.Count, record.LeftOut), Is.EqualTo((500ul, ScrubLedger.FindingsMost, 500ul - ScrubLedger.FindingsMost)));
    }

    private static ScrubRecord RecordOf(ulong pass, int findings)
    {
        var item = new ScrubItem { Pass = pass, Ino = 20, FileBlock = pass, BegunSec = 7, State = ScrubStage.Running };
        IEnumerable<ScrubFinding> all = Enumerable.Range(0, findings).Select(i => new ScrubFinding
        {
            Ino = 20,
            FileBlock = (ulong)i * 2,
            PhysBlock = 20_000 + (ulong)i,
            Blocks = 1,
            Pass = pass,
            Kind = ScrubKind.Differs,
        });
        return new ScrubRecord(item, [.. all]);
    }

    private ScrubPass NewPass(ScrubReader reader, IScrubEngine? engine = null) => new(engine ?? Engine, reader, _ledger)
    {
        Now = () => 77,
        Found = f => _told.Add($"{f.Ino}:{f.FileBlock} at {f.PhysBlock} {f.Kind}"),
    };

    private void Run(IBlockDevice? device = null)
    {
        _ledger.Start(0, 5);
        using var reader = new ScrubReader(device ?? Device, Engine.Superblock);
        Finish(NewPass(reader));
    }

    private void Finish(ScrubPass pass)
    {
        for (int steps = 0; _ledger.IsRunning; steps++)
        {
            Assert.That(steps, Is.LessThan(StepsMost));
            pass.Advance();
        }
    }

    private void Fill(ulong physBlock, uint blocks, byte seed)
    {
        var bytes = new byte[blocks * Block];
        new Random(seed + (int)physBlock).NextBytes(bytes);
        Device.Write(bytes, (long)physBlock * Block);
    }

    /// <summary>Data that is checked from then on.</summary>
    private void Write(ulong ino, ulong fileBlock, ulong physBlock, uint blocks)
    {
        Fill(physBlock, blocks, (byte)ino);
        using (var table = new ChecksumTable(Device, Engine.Superblock))
        {
            var block = new byte[Block];
            for (ulong i = 0; i < blocks; i++)
            {
                Device.Read(block, (long)(physBlock + i) * Block);
                table.Stage(physBlock + i, [Crc32C.Compute(block)]);
            }

            table.Store();
        }

        Apply(new IntentMap { Ino = ino, FileBlock = fileBlock, PhysBlock = physBlock, Blocks = blocks, Size = (fileBlock + blocks) * Block }, IntentOp.Map);
        Seal(IntentOp.Seal, ino, fileBlock, blocks);
        Seal(IntentOp.Checked, ino, fileBlock, blocks);
    }

    private void Reopen()
    {
        Engine.Dispose();
        Engine = Lake.Open(Device);
    }

    private string Item()
    {
        Engine.TreeForCheck().TryGet(new TreeKey(ObjectIds.State, (uint)ItemType.Scrub, 0), out ReadOnlySpan<byte> data);
        return Convert.ToHexString(data);
    }

    private void AssertFault(WalScrub entry, params byte[][] parts)
    {
        using MemoryPageStore store = MemoryPageStore.Open(new MemoryPageMedium(1 << 20), null);
        using State.LakeState state = State.LakeState.CreateEmpty(store, Engine.Superblock, 64);
        Assert.That(() => new State.IntentApplier(state).Apply(IntentWriter.Encode(entry, IntentOp.WalScrub, 0, parts)), Throws.TypeOf<IntentFaultException>());
    }

    private void AssertFindings(params (ulong Ino, ulong FileBlock, ulong PhysBlock, uint Blocks)[] expected) =>
        Assert.That(_ledger.Copy().Findings.Select(f => (f.Ino, f.FileBlock, f.PhysBlock, f.Blocks)), Is.EquivalentTo(expected));

    /// <summary>Says of every block that it is still there.</summary>
    private sealed class CredulousEngine(IScrubEngine engine) : IScrubEngine
    {
        public ScrubView LookForScrub(ScrubPosition from, uint blocks) => engine.LookForScrub(from, blocks);

        public ScrubPlace LookAtPlace(ulong ino, ulong fileBlock, ulong physBlock) => engine.LookAtPlace(ino, fileBlock, physBlock) with { IsThere = true };

        public ScrubPosition FindHolders(ScrubPosition from, IReadOnlyList<(ulong PhysBlock, ulong Blocks)> ranges, List<ScrubRun> into) =>
            engine.FindHolders(from, ranges, into);
    }

    private sealed class WatchedDevice(IBlockDevice device) : IBlockDevice
    {
        public Action<long, int>? Reading { get; set; }

        /// <summary>Once, behind the next read.</summary>
        public Action? AfterRead { get; set; }

        public ulong BadBlock { get; init; }

        public long LengthBytes => device.LengthBytes;

        public void Read(Span<byte> buffer, long offset)
        {
            Reading?.Invoke(offset, buffer.Length);
            long bad = (long)BadBlock * Block;
            if (bad >= offset && bad < offset + buffer.Length)
            {
                throw new StorageException(Errno.EIO, "a bad sector");
            }

            device.Read(buffer, offset);
            Action? behind = AfterRead;
            AfterRead = null;
            behind?.Invoke();
        }

        public void Write(ReadOnlySpan<byte> buffer, long offset) => throw new InvalidOperationException("the scrub writes nothing");

        public void Flush()
        {
        }

        public void Dispose()
        {
        }
    }
}
