// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Sim;
using NUnit.Framework;

namespace DeepLake.Storage.Tests;

[TestFixture]
public sealed class WalTests
{
    [Test]
    public void Replay_OfAnEmptyRegion_FindsNothing_AndCanAppend()
    {
        using var f = new WalFixture();
        var (result, entries) = f.Recover(WalPosition.Start);
        Assert.That(entries, Is.Empty);
        Assert.That(result.Next, Is.EqualTo(WalPosition.Start));
        Assert.That(result.LaterFrameFound, Is.False);
        f.CommitFrame(100);
        Assert.That(f.Recover(WalPosition.Start).Entries, Is.EqualTo(f.Acked));
    }

    [Test]
    public void Header_HasTheDocumentedLayout() =>
        Assert.That(System.Runtime.CompilerServices.Unsafe.SizeOf<WalFrame>(), Is.EqualTo(WalFormat.HeaderBytes));

    [Test]
    public void Append_BeforeReplayOrFormat_IsRefused()
    {
        using var f = new WalFixture();
        Assert.Throws<InvalidOperationException>(() => f.Append(100));
    }

    [Test]
    public void Commit_OfSeveralEntries_IsOneWriteBetweenTwoFlushes()
    {
        var device = new FaultyBlockDevice(WalFixture.NewDevice(), seed: 1, record: true);
        using var f = new WalFixture(device);
        f.Wal.Format();
        f.CommitFrame(100, 200, 300);
        Assert.That(device.Record, Is.EqualTo((DeviceOperation[])[
            new(DeviceOperationKind.Flush, 0, 0),
            new(DeviceOperationKind.Write, WalFixture.RegionStart, 4096),
            new(DeviceOperationKind.Flush, 0, 0)]));
    }

    [Test]
    public void Commit_OfNothing_WritesNothing()
    {
        var device = new FaultyBlockDevice(WalFixture.NewDevice(), seed: 1, record: true);
        using var f = new WalFixture(device);
        f.Wal.Format();
        Assert.That(f.Wal.CommitOpenFrame(new DeviceCommitSink(device)), Is.Zero);
        Assert.That(device.Record, Is.Empty);
    }

    [Test]
    public void Append_BeyondOneFrame_AsksForACommit()
    {
        using var f = new WalFixture();
        f.Wal.Format();
        Assert.That(f.Append(WalFormat.MaxPayloadBytes - 10), Is.EqualTo(WalAppendResult.Appended));
        Assert.That(f.Append(12), Is.EqualTo(WalAppendResult.FrameFull));
        f.Wal.CommitOpenFrame(new DeviceCommitSink(f.Device));
        Assert.That(f.Append(12), Is.EqualTo(WalAppendResult.Appended));
        Assert.Throws<ArgumentOutOfRangeException>(() => f.Append(WalFormat.MaxPayloadBytes + 1));
    }

    [Test]
    public void Append_WhenTheRegionIsFull_WaitsForATrim()
    {
        using var f = new WalFixture();
        f.Wal.Format();
        WalPosition checkpoint = default;
        for (int i = 0; ; i++)
        {
            if (i == 100)
            {
                checkpoint = f.Wal.Next;
            }
            if (f.Append(5000) == WalAppendResult.LogFull)
            {
                break;
            }
            f.Wal.DropOpenFrame();
            f.CommitFrame(5000);
        }
        Assert.That(f.Wal.UsedFraction, Is.GreaterThan(0.98));
        Assert.That(f.Recover(WalPosition.Start).Entries, Is.EqualTo(f.Acked));
        Assert.That(f.Append(5000), Is.EqualTo(WalAppendResult.LogFull));
        f.Wal.TrimTo(checkpoint);
        for (int i = 0; i < 99; i++)
        {
            f.CommitFrame(5000);
        }
        Assert.That(f.Recover(checkpoint).Entries, Is.EqualTo(f.Acked.Skip(100)));
    }

    [Test]
    public void Replay_RoundAndRound_AtEveryWrapPosition([Values(4000, 4033, 9000, 70_000, 300_000)] int entryBytes, [Range(0, 5)] int phase)
    {
        using var f = new WalFixture();
        f.Wal.Format();
        for (int i = 0; i < phase; i++)
        {
            f.CommitFrame(100);
        }
        long laps = 0;
        while (laps < 3)
        {
            WalPosition checkpoint = f.Wal.Next;
            f.Wal.TrimTo(checkpoint);
            f.Acked.Clear();
            long before = f.Wal.Next.OffsetBytes;
            f.CommitFrame(entryBytes);
            f.CommitFrame(50, 60);
            f.CommitFrame(entryBytes, entryBytes);
            laps += f.Wal.Next.OffsetBytes < before ? 1 : 0;
            var (result, entries) = f.Recover(checkpoint);
            Assert.That(entries, Is.EqualTo(f.Acked));
            Assert.That(result.LaterFrameFound, Is.False);
            Assert.That(f.Wal.Next, Is.EqualTo(result.Next));
        }
    }

    [Test]
    public void TrimTo_APositionThatIsNotInTheLog_IsRefused()
    {
        using var f = new WalFixture();
        f.Wal.Format();
        f.CommitFrame(20);
        Assert.Throws<ArgumentOutOfRangeException>(() => f.Wal.TrimTo(new WalPosition(9, 0)));
        f.Wal.TrimTo(f.Wal.Next);
        Assert.That(f.Wal.UsedBytes, Is.Zero);
        Assert.Throws<ArgumentOutOfRangeException>(() => f.Wal.TrimTo(WalPosition.Start));
    }

    [Test]
    public void Replay_KeepsTheFramesOfTheOlderCheckpoint()
    {
        using var f = new WalFixture();
        f.Wal.Format();
        f.CommitFrame(100_000);
        WalPosition newer = f.Wal.Next;
        f.CommitFrame(100);
        f.Wal.Dispose();
        using var wal = new Wal(f.Device, WalFixture.RegionStart, WalFixture.RegionBytes, WalFixture.LakeTag);
        wal.Replay(newer, (in WalFrame _, ReadOnlySpan<byte> _) => { }, keepFrom: WalPosition.Start);
        Assert.That(wal.Tail, Is.EqualTo(WalPosition.Start));
        Assert.That(wal.UsedBytes, Is.EqualTo(wal.Next.OffsetBytes));
    }

    [Test]
    public void FailedCommit_StopsTheLog()
    {
        var device = new FaultyBlockDevice(WalFixture.NewDevice(), seed: 1, new FaultPlan { FailAtOperation = 2 });
        using var f = new WalFixture(device);
        f.Wal.Format();
        f.Append(100);
        Assert.Throws<StorageException>(() => f.Wal.CommitOpenFrame(new DeviceCommitSink(device)));
        Assert.Throws<InvalidOperationException>(() => f.Append(100));
    }

    [Test]
    public void AppendAndCommit_AllocateNothing()
    {
        using var f = new WalFixture();
        f.Wal.Format();
        var sink = new DeviceCommitSink(f.Device);
        byte[] entry = WalFixture.Entry(1, 200);
        void Work(int rounds)
        {
            for (int i = 0; i < rounds; i++)
            {
                f.Wal.Append(entry, 1);
                f.Wal.Append(entry, 1);
                f.Wal.CommitOpenFrame(sink);
                f.Wal.TrimTo(f.Wal.Next);
            }
        }
        Work(1000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Work(1000);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }
}
