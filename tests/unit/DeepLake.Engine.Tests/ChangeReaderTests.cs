// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine.Archive;
using DeepLake.Engine.Changes;
using DeepLake.Platform;
using DeepLake.Sim;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>The durable changes in their order, each once, wherever they are kept (docs/watch.md).</summary>
[TestFixture]
public sealed class ChangeReaderTests() : LakeFixture(areNamed: true)
{
    private readonly EngineOptions _options = Lake.Options with { ArchiveBaseBytes = 1 << 20 };

    [Test]
    public void OnlyWhatIsDurable_IsRead()
    {
        Engine.Commit();
        using ChangeReader reader = Reader();
        Change();
        Assert.That(Read(reader), Is.Empty);
        ulong seq = Engine.Commit();
        Assert.That(Read(reader), Is.EqualTo(new[] { seq }));
        Assert.That(Read(reader), Is.Empty, "once");
        Assert.That(reader.Place, Is.EqualTo(Engine.LookAtLog().End));
    }

    [Test]
    public void FromTheBeginning_AllAreThere_InTheArchiveAndInTheLog()
    {
        for (int round = 0; round < 3; round++)
        {
            FillLog(600 << 10, perFrame: 40);
            Engine.Checkpoint();
        }

        FillLog(100 << 10, perFrame: 7);
        Assert.That(Engine.LookAtLog().Tail.Lsn, Is.GreaterThan(1), "or this is no test of the archive");
        using ChangeReader reader = Reader();
        reader.MoveTo(reader.FindOldest());
        Assert.That(reader.Place.Lsn, Is.EqualTo(1));
        Assert.That(Read(reader), Is.EqualTo(Enumerable.Range(1, (int)Engine.DurableSeq).Select(n => (ulong)n)));
    }

    [Test]
    public void FromEachPlace_GoOnWithTheNext_AfterADeathAndAfterAnUnmount()
    {
        FillLog(20 << 10, perFrame: 3);
        Engine.Commit();
        var places = new List<LogPlace>();
        using (ChangeReader reader = Reader())
        {
            reader.MoveTo(reader.FindOldest());
            while (reader.TryNext(out _))
            {
                places.Add(reader.Place);
            }
        }

        Engine.Dispose(); // a daemon that dies
        Engine = Lake.Open(Device);
        AssertGoOn(places);
        Lake.Unmount(Engine);
        Remount();
        FillLog(5 << 10, perFrame: 3);
        AssertGoOn(places);
    }

    [Test]
    public void WhatTheArchiveHasGivenUp_IsAnError_AndTheOldestPlaceIsNot()
    {
        using ChangeReader reader = Reader();
        reader.MoveTo(reader.FindOldest());
        LogPlace first = reader.Place;
        for (int round = 0; round < 3; round++)
        {
            FillLog(2 << 20);
            Engine.Checkpoint();
            Assert.That(new BaseWriter(Device, Engine, _options).Run(), Is.True);
        }

        Engine.Checkpoint();
        Engine.Checkpoint();
        reader.Refresh();
        Assert.That(Refused(reader, first), Is.EqualTo(ChangeLogProblem.Gone));
        reader.MoveTo(reader.FindOldest());
        ulong[] rest = [.. Read(reader)];
        Assert.That(rest[0], Is.GreaterThan(1000));
        Assert.That(rest, Is.EqualTo(Enumerable.Range((int)rest[0], rest.Length).Select(n => (ulong)n)));
        Assert.That(rest[^1], Is.EqualTo(Engine.DurableSeq));
    }

    [Test]
    public void AnInterruptedArchive_IsAGapThatIsTold_AlsoToWhoIsReading()
    {
        using ChangeReader reader = Reader();
        reader.MoveTo(reader.FindOldest());
        FillLog(600 << 10);
        Engine.Checkpoint();
        reader.Refresh();
        Assert.That(reader.TryNext(out _), Is.True);
        Engine.PauseArchive("a test");
        for (int round = 0; round < 3; round++)
        {
            FillLog(600 << 10);
            Engine.Checkpoint();
        }

        reader.Refresh();
        ChangeLogException gap = Assert.Throws<ChangeLogException>(() => ReadOn(reader).Count())!;
        Assert.That(gap.Problem, Is.EqualTo(ChangeLogProblem.Gone));
        LogPlace oldest = reader.FindOldest();
        Assert.That(oldest.Lsn, Is.EqualTo(Engine.LookAtLog().Tail.Lsn));
        reader.MoveTo(oldest);
        Assert.That(Read(reader).Last(), Is.EqualTo(Engine.DurableSeq));
    }

    [Test]
    public void ASegmentThatIsDamaged_IsAGap_NotOtherChanges()
    {
        FillLog(3 << 20, perFrame: 1000);
        Lake.Unmount(Engine);
        Remount();
        Engine.Checkpoint();
        ArchiveHeader[] segments = [.. ArchiveSurvey.Read(Device).Segments.OrderBy(s => s.FirstLsn)];
        Assert.That(segments, Has.Length.GreaterThan(2));
        FlipBit(((long)segments[1].StartBlock * Block) + (2 * Block) + 100);
        using ChangeReader reader = Reader();
        reader.MoveTo(new LogPlace(1, 0, 0, 0, 0));
        var read = new List<ulong>();
        ChangeLogException gap = Assert.Throws<ChangeLogException>(() =>
        {
            foreach (ulong seq in ReadOn(reader))
            {
                read.Add(seq);
            }
        })!;
        Assert.That((gap.Problem, gap.Place.Lsn), Is.EqualTo((ChangeLogProblem.Gone, segments[1].FirstLsn)));
        Assert.That(read, Is.EqualTo(Enumerable.Range(1, read.Count).Select(n => (ulong)n)));
        Assert.That(read, Has.Count.GreaterThan(1000));
    }

    [Test]
    public void PlacesOfAnotherHistory_AndOfTheFuture_AreRefused()
    {
        FillLog(4 << 10, perFrame: 5);
        Engine.Commit();
        using ChangeReader reader = Reader();
        LogPlace end = reader.Place;
        reader.MoveTo(reader.FindOldest());
        Assert.That(reader.TryNext(out _) && reader.TryNext(out _), Is.True);
        LogPlace within = reader.Place;
        Assert.Multiple(() =>
        {
            Assert.That(Refused(reader, end with { Lsn = end.Lsn + 1 }), Is.EqualTo(ChangeLogProblem.Future));
            Assert.That(Refused(reader, end with { Entry = 1 }), Is.EqualTo(ChangeLogProblem.Future));
            Assert.That(Refused(reader, end with { Seq = end.Seq + 1 }), Is.EqualTo(ChangeLogProblem.Future));
            Assert.That(Refused(reader, end with { Crc = end.Crc ^ 1 }), Is.EqualTo(ChangeLogProblem.OtherHistory));
            Assert.That(Refused(reader, end with { Seq = end.Seq - 1 }), Is.EqualTo(ChangeLogProblem.OtherHistory));
            Assert.That(Refused(reader, within with { Crc = within.Crc ^ 1 }), Is.EqualTo(ChangeLogProblem.OtherHistory));
            Assert.That(Refused(reader, within with { Entry = 4711 }), Is.EqualTo(ChangeLogProblem.OtherHistory));
            Assert.That(Refused(reader, within with { Epoch = within.Epoch + 1 }), Is.EqualTo(ChangeLogProblem.OtherHistory));
            Assert.That(Refused(reader, end with { Lsn = end.Lsn - 1 }), Is.EqualTo(ChangeLogProblem.OtherHistory));
            Assert.That(Refused(reader, default(LogPlace)), Is.EqualTo(ChangeLogProblem.Gone));
        });
        reader.MoveTo(within);
        Assert.That(Read(reader).Last(), Is.EqualTo(Engine.DurableSeq));
    }

    /// <summary>A reader that is behind while the log goes around its region.</summary>
    [Test]
    public void ASlowReader_MissesNothing_WhileTheLogGoesAround()
    {
        using ChangeReader reader = Reader();
        reader.MoveTo(reader.FindOldest());
        var read = new List<ulong>();
        var random = new Random(5);
        EngineStats stats = Engine.GetStats();
        for (ulong written = 0; written < 2 * stats.WalBytes; written += 200 << 10)
        {
            FillLog(200 << 10, perFrame: 500);
            if (random.Next(3) == 0)
            {
                Engine.Checkpoint();
            }

            reader.Refresh();
            int some = random.Next(4000);
            while (some-- > 0 && reader.TryNext(out ReadOnlySpan<byte> entry))
            {
                AddSeq(read, entry);
            }
        }

        Engine.Commit();
        read.AddRange(Read(reader));
        Assert.That(read, Is.EqualTo(Enumerable.Range(1, (int)Engine.DurableSeq).Select(n => (ulong)n)));
    }

    private void AssertGoOn(List<LogPlace> places)
    {
        using ChangeReader reader = Reader();
        reader.MoveTo(reader.FindOldest());
        ulong[] all = [.. Read(reader)];
        foreach (LogPlace place in places)
        {
            reader.MoveTo(place);
            Assert.That(Read(reader), Is.EqualTo(all.Where(seq => seq > place.Seq)), place.ToString());
        }
    }

    private ChangeLogProblem Refused(ChangeReader reader, LogPlace place) =>
        Assert.Throws<ChangeLogException>(() => reader.MoveTo(place))!.Problem;

    private ChangeReader Reader() => new(Engine, Device, Engine.Superblock);

    private static List<ulong> Read(ChangeReader reader)
    {
        reader.Refresh();
        return [.. ReadOn(reader)];
    }

    private static IEnumerable<ulong> ReadOn(ChangeReader reader)
    {
        var one = new List<ulong>();
        while (TryOne(reader, one))
        {
            foreach (ulong seq in one)
            {
                yield return seq;
            }
        }
    }

    private static bool TryOne(ChangeReader reader, List<ulong> into)
    {
        into.Clear();
        bool isThere = reader.TryNext(out ReadOnlySpan<byte> entry);
        if (isThere)
        {
            AddSeq(into, entry);
        }

        return isThere;
    }

    private static void AddSeq(List<ulong> into, ReadOnlySpan<byte> entry)
    {
        ulong seq = MemoryMarshal.Read<IntentHeader>(entry).Seq;
        if (seq != 0)
        {
            into.Add(seq);
        }
    }

    private void Change() => Apply(new IntentSetattr { Ino = 20, Valid = AttrMask.Mode, Mode = 0x8180 }, IntentOp.Setattr);

    private void FillLog(int bytes, int perFrame = int.MaxValue)
    {
        for (int done = 0, count = 1; done < bytes; done += 100, count++)
        {
            Change();
            if (count % perFrame == 0)
            {
                Engine.Commit();
            }
        }

        Engine.Commit();
    }

    private void Remount()
    {
        Engine.Dispose();
        Engine = Lake.Open(Device);
        Lake.Mount(Engine);
    }
}
