// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Check;
using DeepLake.Engine.Archive;
using DeepLake.Engine.Format;
using DeepLake.Packs;
using DeepLake.Platform;
using DeepLake.Sim;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>The archive and what is rebuilt from it, docs/archive.md.</summary>
[TestFixture]
public sealed class ArchiveTests : LakeFixture
{
    private readonly EngineOptions _options = Lake.Options with { ArchiveBaseBytes = 1 << 20 };

    public ArchiveTests()
        : base(areNamed: true)
    {
    }

    [Test]
    public void AFreshLake_HasNoArchive()
    {
        Engine.Checkpoint();
        Assert.That(Engine.GetStats().ArchiveBlocks, Is.Zero);
    }

    [Test]
    public void UnmountedLake_IsRebuiltWhole_FromTheDataRegionAlone()
    {
        WriteFile(20, 3, 'a');
        Unmount();
        string before = Reopened(engine => Lake.DumpFiles(engine));
        ZeroMetadata();
        RebuildResult result = Rebuild(out RebuildPlan plan);
        Assert.Multiple(() =>
        {
            Assert.That(plan.Base, Is.Empty, "the log begins with the lake");
            Assert.That(plan.Notes, Is.Empty);
            Assert.That(result.DamagedBlocks, Is.Zero);
            Assert.That(result.BlocksRead, Is.EqualTo(3));
            Assert.That(Reopened(engine => Lake.DumpFiles(engine)), Is.EqualTo(before));
        });
    }

    [Test]
    public void WhatWasDeleted_DoesNotComeBack()
    {
        WriteFile(20, 1, 'a');
        Engine.Checkpoint();
        Unlink(20);
        Unmount();
        ZeroMetadata();
        Rebuild(out _);
        Reopened(_ => 0);
        Assert.That(Reopened(engine => Lake.DumpFiles(engine)).Contains("(20,", StringComparison.Ordinal), Is.False);
    }

    [Test]
    public void Base_TakesTheLogsPlace_AndOldSegmentsAreFreed()
    {
        for (int round = 0; round < 4; round++)
        {
            FillLog(2 << 20);
            Engine.Checkpoint();
            Assert.That(WriteBase(), Is.True, $"base {round}");
        }

        EngineStats stats = Engine.GetStats();
        AssertClean();
        Assert.That(stats.ArchiveBlocks, Is.LessThan(2 * 600 + (2 * stats.MetadataPages) + 64), "two bases and what lies between them");
        Unmount();
        string before = Reopened(engine => Lake.DumpFiles(engine));
        ZeroMetadata();
        Rebuild(out RebuildPlan plan);
        Assert.That(plan.Base, Is.Not.Empty);
        Assert.That(Reopened(engine => Lake.DumpFiles(engine)), Is.EqualTo(before));
    }

    [Test]
    public void NewestBaseDamaged_TheOneBeforeAndItsLogDo()
    {
        FillLog(2 << 20);
        Engine.Checkpoint();
        Assert.That(WriteBase(), Is.True);
        FillLog(1 << 20);
        Engine.Checkpoint();
        Assert.That(WriteBase(), Is.True);
        WriteFile(21, 2, 'z');
        Unmount();
        string before = Reopened(engine => Lake.DumpFiles(engine));
        ArchiveHeader newest = ArchiveSurvey.Read(Device).Segments.Where(s => s.Kind == ArchiveKind.Base).MaxBy(s => s.NextLsn);
        Flip(((long)newest.StartBlock * 4096) + 8192 + 100);
        ZeroMetadata();
        Rebuild(out RebuildPlan plan);
        Assert.That(plan.Notes, Has.Some.Contains("is not whole"));
        Assert.That(plan.Base[0].NextLsn, Is.LessThan(newest.NextLsn));
        Assert.That(Reopened(engine => Lake.DumpFiles(engine)), Is.EqualTo(before));
    }

    [Test]
    public void LogRegionThatIsWhole_AddsWhatIsNotArchivedYet()
    {
        WriteFile(20, 3, 'a');
        Engine.Commit();
        ulong seq = Engine.AppliedSeq;
        Engine.Dispose(); // as a kill
        Zero(Engine.Superblock.Ticket[0], Engine.Superblock.Ticket[1], Engine.Superblock.Pages);
        FillLog(0);
        RebuildResult result = Rebuild(out RebuildPlan plan);
        Assert.That(plan.Frames, Is.Not.Empty);
        Assert.That(result.Seq, Is.EqualTo(seq));
        Reopened(engine => engine.AppliedSeq);
    }

    [Test]
    public void DamagedSegment_EndsTheChain_AndIsNamed()
    {
        WriteFile(20, 1, 'a');
        Unmount();
        Remount();
        WriteFile(21, 1, 'b');
        Unmount();
        ArchiveHeader first = ArchiveSurvey.Read(Device).Segments.MinBy(s => s.FirstLsn);
        ArchiveHeader last = ArchiveSurvey.Read(Device).Segments.MaxBy(s => s.FirstLsn);
        Assert.That(first.FirstLsn, Is.LessThan(last.FirstLsn));
        Flip(((long)last.StartBlock * 4096) + 8192 + 70);
        ZeroMetadata();
        RebuildResult result = Rebuild(out RebuildPlan plan);
        Assert.That(plan.Notes, Has.Some.Contains($"segment {last.Number} of the archive"));
        Assert.That(result.Seq, Is.EqualTo(first.Seq));
        Reopened(engine => engine.AppliedSeq);
    }

    [Test]
    public void NoSegmentAtAll_IsToldAsThat()
    {
        using var empty = new MemoryBlockDevice(8 << 20);
        using var planner = new RebuildPlanner(empty);
        LakeFormatException failure = Assert.Throws<LakeFormatException>(() => planner.Plan(ArchiveSurvey.Read(empty)))!;
        Assert.That(failure.Message, Does.Contain("no segment of an archive"));
    }

    [Test]
    public void BlocksGivenToSomebodyElseSince_AreErrors_NotForeignBytes()
    {
        WriteFile(20, 4, 'a');
        Unmount();
        ulong block = Data;
        Write(block + 1, 'x'); // as another file's, which the archive knows nothing of
        ZeroMetadata();
        RebuildResult result = Rebuild(out _);
        Assert.That(result.DamagedBlocks, Is.EqualTo(1));
        Reopened(engine =>
        {
            CheckReport report = Lake.CheckData(engine, Device);
            Assert.That(report.Findings, Is.EqualTo(new[] { Lake.Damage(20, 1, block + 1) }));
            return 0;
        });
    }

    [Test]
    public void FullLake_InterruptsTheArchive_AndABaseMakesItWholeAgain()
    {
        for (ulong at = 0; Engine.GetStats().FreeBlocks is var free and > 0;)
        {
            at = WriteFile(20, (uint)free, null, at);
        }

        FillLog(1 << 20);
        Engine.Checkpoint();
        Assert.That(Engine.GetStats().ArchiveIsInterrupted, Is.True);
        Assert.That(Engine.ArchiveTrouble, Does.Contain("free blocks"));
        Assert.That(Engine.BaseIsWanted, Is.False, "there is no room for one");
        Unlink(20);
        Engine.Commit();
        Assert.That(Engine.BaseIsWanted, Is.True);
        Assert.That(WriteBase(), Is.True);
        Assert.That(Engine.GetStats().ArchiveIsInterrupted, Is.False);
        Unmount();
        string before = Reopened(engine => Lake.DumpFiles(engine));
        ZeroMetadata();
        Rebuild(out _);
        Assert.That(Reopened(engine => Lake.DumpFiles(engine)), Is.EqualTo(before));
    }

    [Test]
    public void ARebuiltLake_GoesOn_AndCanBeRebuiltAgain()
    {
        WriteFile(20, 2, 'a');
        Unmount();
        ZeroMetadata();
        Rebuild(out _);
        Remount();
        WriteFile(21, 2, 'b');
        Unmount();
        string before = Reopened(engine => Lake.DumpFiles(engine));
        ZeroMetadata();
        RebuildResult result = Rebuild(out RebuildPlan plan);
        Assert.That(plan.Notes, Is.Empty);
        Assert.That(result.DamagedBlocks, Is.Zero);
        Assert.That(Reopened(engine => Lake.DumpFiles(engine)), Is.EqualTo(before));
    }

    [Test]
    public void DamagedSegment_IsMadeUpFor_ByFramesThatAreStillInTheLog()
    {
        WriteFile(20, 1, 'a');
        Unmount();
        Remount();
        WriteFile(21, 1, 'b');
        Unmount();
        string before = Reopened(engine => Lake.DumpFiles(engine));
        ArchiveHeader last = ArchiveSurvey.Read(Device).Segments.MaxBy(s => s.FirstLsn);
        Flip(((long)last.StartBlock * 4096) + 8192 + 70);
        Zero(Engine.Superblock.Pages);
        Rebuild(out RebuildPlan plan);
        Assert.That(plan.Notes, Has.Some.Contains($"segment {last.Number} of the archive"));
        Assert.That(plan.IsComplete, Is.True);
        Assert.That(plan.Frames, Is.Not.Empty);
        Assert.That(Reopened(engine => Lake.DumpFiles(engine)), Is.EqualTo(before));
    }

    /// <summary>Regression: segments that an earlier rebuild had left out were taken for what came after it.</summary>
    [TestCase(false)]
    [TestCase(true)]
    public void HistoryThatARebuildGaveUp_StaysGivenUp(bool hasBase)
    {
        WriteFile(20, 1, 'a');
        Unmount();
        for (ulong ino = 21; ino < 24; ino++)
        {
            Remount();
            WriteFile(ino, 1, 'b');
            FillLog(64 << 10);
            Unmount();
        }

        ArchiveHeader[] logs = [.. ArchiveSurvey.Read(Device).Segments.OrderBy(s => s.FirstLsn)];
        Flip(((long)logs[1].StartBlock * 4096) + 8192 + 70);
        ZeroMetadata();
        Rebuild(out RebuildPlan first);
        Assert.That((first.IsComplete, first.Seq), Is.EqualTo((false, logs[0].Seq)));
        Assert.That(first.KnownSeq, Is.EqualTo(logs[^1].Seq));
        for (int mount = 0; mount < 2; mount++)
        {
            Remount();
            Apply(new IntentSetattr { Ino = 20, Valid = AttrMask.Mode, Mode = 0x8180 + (uint)mount }, IntentOp.Setattr);
            Assert.That(!hasBase || WriteBase(), Is.True);
            Apply(new IntentSetattr { Ino = 21, Valid = AttrMask.Mode, Mode = 0x8180 + (uint)mount }, IntentOp.Setattr);
            Unmount();
        }

        string before = Reopened(engine => Lake.DumpFiles(engine));
        ZeroMetadata();
        Rebuild(out _);
        Assert.That(Reopened(engine => Lake.DumpFiles(engine)), Is.EqualTo(before));
    }

    /// <summary>Each attempt finds what the one before has left: with and without superblocks that still tell of the lake.</summary>
    [TestCase(true)]
    [TestCase(false)]
    public void Rebuild_ThatDiesAnywhere_CanBeDoneAgain_AndWhatItLeavesIsNotOpened(bool hasSuperblocks)
    {
        WriteFile(20, 3, 'a');
        FillLog(1 << 20);
        Engine.Checkpoint();
        Assert.That(WriteBase(), Is.True);
        WriteFile(21, 3, 'b');
        Unmount();
        string before = Reopened(engine => Lake.DumpFiles(engine));
        if (hasSuperblocks)
        {
            Superblock superblock = Engine.Superblock;
            Engine.Dispose();
            Zero(superblock.Pages); // its tickets are whole
        }
        else
        {
            ZeroMetadata();
        }

        int deaths = 0;
        for (bool isDone = false; !isDone; deaths++)
        {
            var dying = new FaultyBlockDevice(Device, deaths, new FaultPlan { PowerCutAtChange = deaths + 1, Cut = CutKind.Sectors });
            try
            {
                using var planner = new RebuildPlanner(dying);
                new LakeRebuilder(dying, planner.Plan(ArchiveSurvey.Read(dying)), Lake.Options).Run();
                isDone = !dying.IsDead;
            }
            catch (Exception death) when (dying.IsDead)
            {
                Assert.That(death, Is.Not.TypeOf<NUnit.Framework.AssertionException>());
            }

            try
            {
                using LakeEngine left = Lake.Open(Device);
                Assert.That(Lake.DumpFiles(left), Is.EqualTo(before), $"change {deaths + 1}");
            }
            catch (LakeFormatException)
            {
                Assert.That(isDone, Is.False);
            }
        }

        Assert.That(deaths, Is.GreaterThan(8));
        Engine = Lake.Open(Device);
        AssertClean();
    }

    [Test]
    public void ALakeMadeLater_OfWhichNoSegmentIsLeft_IsNotReplacedByTheOneBefore()
    {
        WriteFile(20, 1, 'a');
        Unmount();
        Engine.Dispose();
        LakeFormatter.Format(Device, new FormatOptions(Guid.NewGuid(), "later", Lake.Now));
        Engine = Lake.Open(Device);
        Lake.Mount(Engine);
        Engine.Commit();
        Superblock superblock = Engine.Superblock;
        Engine.Dispose(); // as a kill: nothing of it is archived
        Zero(new Region { StartBlock = 0, Blocks = superblock.Wal.StartBlock }, superblock.Pages, new Region { StartBlock = superblock.DeviceBlocks - 1, Blocks = 1 });
        using var planner = new RebuildPlanner(Device);
        LakeFormatException failure = Assert.Throws<LakeFormatException>(() => planner.Plan(ArchiveSurvey.Read(Device)))!;
        Assert.That(failure.Message, Does.Contain("made on this device after 00112233"));
    }

    [Test]
    public void ALakeOfAnotherVersion_IsNotReplacedByAnOlderOne()
    {
        WriteFile(20, 1, 'a');
        Unmount();
        Engine.Dispose();
        byte[] block = new byte[4096];
        Device.Read(block, 4096);
        Superblock superblock = MemoryMarshal.Read<Superblock>(block);
        superblock.FormatVersion++;
        superblock.Crc32c = 0;
        MemoryMarshal.Write(block, in superblock);
        superblock.Crc32c = Crc32C.Compute(block);
        MemoryMarshal.Write(block, in superblock);
        Device.Write(block, 4096);
        Device.Write(new byte[4096], Device.LengthBytes - 4096);
        using var planner = new RebuildPlanner(Device);
        LakeFormatException failure = Assert.Throws<LakeFormatException>(() => planner.Plan(ArchiveSurvey.Read(Device)))!;
        Assert.That(failure.Errno, Is.EqualTo(Errno.EPROTONOSUPPORT));
    }

    [Test]
    public void BlocksWithoutAChecksum_AreTakenAsTheyAre_AndCounted()
    {
        WriteFile(20, 2, 'a');
        BlockRange range = new() { Start = 0, Count = 1 };
        Apply(new IntentOverwrite { Ino = 20, Count = 1 }, IntentOp.Overwrite, MemoryMarshal.AsBytes(new ReadOnlySpan<BlockRange>(in range)).ToArray());
        Unmount();
        ZeroMetadata();
        RebuildResult result = Rebuild(out _);
        Assert.That((result.DamagedBlocks, result.UnprovenBlocks), Is.EqualTo((0ul, 1ul)));
        Reopened(_ => 0);
    }

    /// <summary>FIEMAP tells a user where a file is; its content may be anything.</summary>
    [Test]
    public void AFileThatLooksLikeASegment_IsNotTakenForOne()
    {
        WriteFile(20, 16, 'a');
        Unmount();
        string before = Reopened(engine => Lake.DumpFiles(engine));
        Superblock superblock = Engine.Superblock;
        superblock.ArchiveKey = default; // which no user knows
        using (AlignedBuffer buffer = ArchiveSegment.CreateBuffer())
        {
            ArchiveSegment.Write(Device, buffer, superblock, new ArchiveHeader
            {
                Number = 1, StartBlock = Data, Kind = ArchiveKind.Base, Flags = ArchiveFlags.Last, PayloadBytes = 8192, StoredBytes = 8192,
                FirstLsn = 1ul << 62, NextLsn = 1ul << 62, Seq = 1ul << 40, WrittenSec = 1ul << 31,
            });
        }

        Zero(superblock.Pages);
        Rebuild(out RebuildPlan plan);
        Assert.That((plan.Base.Count, plan.Notes), Is.EqualTo((0, new[] { "a base of the archive as of intent 1099511627776 is not whole and is left out" })));
        Assert.That(Reopened(engine => Lake.DumpFiles(engine)), Is.Not.Empty.And.Contains("(20,"));
        ZeroMetadata();
        LakeFormatException refused = Assert.Throws<LakeFormatException>(() => Rebuild(out _))!;
        Assert.That(refused.Message, Does.Contain("different keys"));
        Assert.That(before, Does.Contain("(20,"));
    }

    [TestCase(1)] // the log cannot be read
    [TestCase(2)] // the segment cannot be written
    public void ABadSectorOnTheWay_InterruptsTheArchive_AndNothingElse(int operation)
    {
        Engine.Commit();
        Engine.Dispose();
        using var faulty = new FaultyBlockDevice(Device, 1, new FaultPlan { FailAtOperation = operation, FailCount = 1, FailWith = Errno.EIO });
        Engine = LakeEngine.Open(Device, new DeviceCommitSink(Device), Lake.Options with { ArchiveDevice = faulty });
        Lake.Mount(Engine);
        FillLog(1 << 20);
        Engine.Checkpoint();
        Assert.That(faulty.Faults, Is.EqualTo(1));
        Assert.That((Engine.GetStats().ArchiveIsInterrupted, Engine.BaseIsWanted), Is.EqualTo((true, true)));
        Assert.That(WriteBase(), Is.True);
        Assert.That(Engine.GetStats().ArchiveIsInterrupted, Is.False);
        AssertClean();
    }

    [Test]
    public void ABaseWhoseCheckpointWasGivenUp_IsNotFinished_AndNoneIsLeftThatLooksWhole()
    {
        FillLog(1 << 20);
        ulong used = Engine.GetStats().UsedBlocks;
        Assert.That(new BaseWriter(Device, new Forgetful(Engine), _options).Run(), Is.False);
        EngineStats stats = Engine.GetStats();
        Assert.That(stats.UsedBlocks - stats.ArchiveBlocks, Is.LessThanOrEqualTo(used));
        Assert.That(ArchiveSurvey.Read(Device).Segments.Where(s => s.Flags.HasFlag(ArchiveFlags.Last)), Is.Empty);
        Assert.That(WriteBase(), Is.True);
        AssertClean();
    }

    [Test]
    public void TheLog_IsCompressed_AndRebuiltFrom()
    {
        for (ulong i = 0; i < 1500; i++)
        {
            WriteFile(20, 1, 'a', i * 3);
        }

        Engine.Checkpoint();
        Unmount();
        string before = Reopened(engine => Lake.DumpFiles(engine));
        ArchiveHeader[] log = [.. ArchiveSurvey.Read(Device).Segments.Where(s => s.Kind == ArchiveKind.Log)];
        Assert.That(log.Sum(s => (long)s.PayloadBytes), Is.GreaterThan(100_000));
        Assert.That(log.Sum(s => (long)s.StoredBytes) * 2, Is.LessThan(log.Sum(s => (long)s.PayloadBytes)));
        ZeroMetadata();
        Rebuild(out RebuildPlan plan);
        Assert.That(plan.Logs, Has.Count.EqualTo(log.Length));
        Assert.That(Reopened(engine => Lake.DumpFiles(engine)), Is.EqualTo(before));
    }

    [TestCase(uint.MaxValue)]
    [TestCase(3u)] // free blocks in a row
    public void ABase_IsCompressed_AndRebuiltFrom_HoweverManySegmentsItHas(uint mostBlocks)
    {
        var random = new Random(1);
        for (int extents = 0; extents < 1500; extents++)
        {
            WriteFile(20, 1, 'a', (ulong)random.NextInt64(1L << 40));
        }

        Engine.Checkpoint();
        Assert.That(new BaseWriter(Device, new Crumbled(Engine, mostBlocks), _options).Run(), Is.True);
        Unmount();
        string before = Reopened(engine => Lake.DumpFiles(engine));
        ArchiveHeader[] parts = [.. ArchiveSurvey.Read(Device).Segments.Where(s => s.Kind == ArchiveKind.Base)];
        Assert.That(parts.Sum(p => (long)p.StoredBytes) * 2, Is.LessThan(parts.Sum(p => (long)p.PayloadBytes)));
        Assert.That(parts.All(p => p.Blocks <= mostBlocks && p.Flags.HasFlag(ArchiveFlags.Zstd)), Is.True);
        Assert.That(parts, Has.Length.GreaterThan(mostBlocks == 3 ? 1 : 0));
        ZeroMetadata();
        Rebuild(out RebuildPlan plan);
        Assert.That(plan.Base, Has.Count.EqualTo(parts.Length));
        Assert.That(Reopened(engine => Lake.DumpFiles(engine)), Is.EqualTo(before));
    }

    [Test]
    public void ASegmentOfThisLake_WhoseFrameIsNotWhatItSays_IsNotTaken([Values] bool isFrame)
    {
        using AlignedBuffer buffer = ArchiveSegment.CreateBuffer();
        using var frames = new FrameWriter();
        int stored = ArchiveSegment.Store(frames, new byte[8192], buffer, out ArchiveFlags flags);
        Assert.That(flags, Is.EqualTo(ArchiveFlags.Zstd));
        if (!isFrame)
        {
            buffer.Slice(ArchiveSegment.MetaBytes, stored).Fill((byte)'x');
        }

        ArchiveSegment.Write(Device, buffer, Engine.Superblock, new ArchiveHeader
        {
            Number = 1, StartBlock = Data, Kind = ArchiveKind.Base, Flags = flags | ArchiveFlags.Last, PayloadBytes = 12288, StoredBytes = (uint)stored,
            FirstLsn = 9, NextLsn = 9, Seq = 1, WrittenSec = 1,
        });
        ArchiveHeader header = ArchiveSurvey.Read(Device).Segments.Single(s => s.StartBlock == Data);
        Assert.That(ArchiveSegment.TryRead(Device, header, buffer, out _), Is.False);
    }

    /// <summary>Has so many free blocks in a row and no more.</summary>
    private sealed class Crumbled(LakeEngine engine, uint mostBlocks) : IArchiveEngine
    {
        public bool BaseIsWanted => engine.BaseIsWanted;

        public ArchiveBase? BeginBase() => engine.BeginBase();

        public bool TryLeaseSegment(uint blocks, out ArchiveEntry segment)
        {
            segment = default;
            return blocks <= mostBlocks && engine.TryLeaseSegment(blocks, out segment);
        }

        public bool EndReading() => engine.EndReading();

        public bool FinishBase(ArchiveBase finished, ReadOnlySpan<ArchiveEntry> parts) => engine.FinishBase(finished, parts);

        public void AbandonBase() => engine.AbandonBase();
    }

    /// <summary>The page store needed the room.</summary>
    private sealed class Forgetful(LakeEngine engine) : IArchiveEngine
    {
        public bool BaseIsWanted => engine.BaseIsWanted;

        public ArchiveBase? BeginBase() => engine.BeginBase();

        public bool TryLeaseSegment(uint blocks, out ArchiveEntry segment)
        {
            engine.ReleaseSnapshot();
            return engine.TryLeaseSegment(blocks, out segment);
        }

        public bool EndReading() => engine.EndReading();

        public bool FinishBase(ArchiveBase finished, ReadOnlySpan<ArchiveEntry> parts) => engine.FinishBase(finished, parts);

        public void AbandonBase() => engine.AbandonBase();
    }

    private bool WriteBase() => new BaseWriter(Device, Engine, _options).Run();

    private void Unmount() => Lake.Unmount(Engine);

    private void Remount()
    {
        Engine.Dispose();
        Engine = Lake.Open(Device);
        Lake.Mount(Engine);
    }

    /// <summary>Opens the lake as it is on the device, proves its structure, and asks it something.</summary>
    private T Reopened<T>(Func<LakeEngine, T> ask)
    {
        Engine.Dispose();
        Engine = Lake.Open(Device);
        AssertClean();
        return ask(Engine);
    }

    private RebuildResult Rebuild(out RebuildPlan plan)
    {
        Engine.Dispose();
        using var planner = new RebuildPlanner(Device);
        plan = planner.Plan(ArchiveSurvey.Read(Device));
        return new LakeRebuilder(Device, plan, Lake.Options).Run();
    }

    private void ZeroMetadata()
    {
        Superblock superblock = Engine.Superblock;
        Engine.Dispose();
        Zero(new Region { StartBlock = 0, Blocks = superblock.Sums.StartBlock }, new Region { StartBlock = superblock.DeviceBlocks - 1, Blocks = 1 });
    }

    private void Zero(params Region[] regions)
    {
        foreach (Region region in regions)
        {
            Device.Write(new byte[region.Blocks * 4096], (long)region.StartBlock * 4096);
        }
    }

    private void Flip(long offset)
    {
        byte[] one = new byte[1];
        Device.Read(one, offset);
        one[0] ^= 1;
        Device.Write(one, offset);
    }

    private void Write(ulong block, char fill) => Device.Write(Enumerable.Repeat((byte)fill, 4096).ToArray(), (long)block * 4096);

    /// <summary>Maps free blocks, with checksums and data when there is something to fill them with.</summary>
    private ulong WriteFile(ulong ino, uint blocks, char? fill, ulong at = 0)
    {
        var request = new RequestLease { Header = new RequestHeader { Len = 40, Op = RequestOp.LeaseBlocks }, Want = blocks };
        byte[] payload = new byte[64 << 10];
        int bytes = Engine.HandleRequest(
            MemoryMarshal.AsBytes(new ReadOnlySpan<RequestLease>(in request)), payload, out _);
        foreach (BlockRange range in MemoryMarshal.Cast<byte, BlockRange>(payload.AsSpan(0, bytes)))
        {
            uint count = (uint)range.Count;
            byte[] sums = fill is null ? [] : Sums(range.Start, count, fill.Value);
            Apply(
                new IntentMap
                {
                    Ino = ino, FileBlock = at, PhysBlock = range.Start, Blocks = count, Size = (at + count) * 4096,
                    Flags = fill is null ? ExtentFlags.Unwritten : ExtentFlags.Crc,
                },
                IntentOp.Map, sums);
            at += count;
        }

        return at;
    }

    private byte[] Sums(ulong block, uint count, char fill)
    {
        uint[] sums = new uint[count];
        for (uint i = 0; i < count; i++)
        {
            Write(block + i, fill);
            sums[i] = Crc32C.Compute(Enumerable.Repeat((byte)fill, 4096).ToArray());
        }

        return MemoryMarshal.AsBytes<uint>(sums).ToArray();
    }

    private void Unlink(ulong ino)
    {
        Apply(new IntentUnlink { Dir = 1, Ino = ino, NameBytes = 2 }, IntentOp.Unlink, IntentWriter.Name($"{ino}"));
        Apply(new IntentRelease { Ino = ino }, IntentOp.Release);
    }

    private void FillLog(int bytes)
    {
        for (int done = 0; done < bytes; done += 100)
        {
            Apply(new IntentSetattr { Ino = 20, Valid = AttrMask.Mode, Mode = 0x8180 }, IntentOp.Setattr);
        }
    }
}
