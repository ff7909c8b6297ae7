// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Sim;
using NUnit.Framework;

namespace DeepLake.Storage.Tests;

/// <summary>What a replay makes of torn, stale, foreign and damaged frames.</summary>
[TestFixture]
public sealed class WalDamageTests
{
    [Test]
    public void TornLastFrame_AtEverySector_KeepsEverythingBeforeIt()
    {
        const int FrameSectors = 20_480 / 512;
        for (int sectors = 0; sectors < FrameSectors; sectors++)
        {
            using var f = new WalFixture();
            f.Wal.Format();
            f.CommitFrame(3000, 500);
            f.CommitFrame(9000);
            long offset = f.Wal.Next.OffsetBytes;
            var old = new byte[FrameSectors * 512];
            f.Device.Read(old, WalFixture.RegionStart + offset);
            f.CommitFrame(18_000);
            Assert.That(f.Wal.Next.OffsetBytes - offset, Is.EqualTo(FrameSectors * 512));
            f.Device.Write(old.AsSpan(sectors * 512), WalFixture.RegionStart + offset + sectors * 512);
            if (sectors * WalSector.ContentBytes < WalFormat.HeaderBytes + 18_000)
            {
                f.Acked.RemoveAt(f.Acked.Count - 1); // otherwise only padding was lost
            }
            var (result, entries) = f.Recover(WalPosition.Start);
            Assert.That(entries, Is.EqualTo(f.Acked), $"torn after {sectors} sectors");
            Assert.That(result.LaterFrameFound, Is.False);
            Assert.That(result.EndDamage, Is.EqualTo(LogEndDamage.None));
            f.CommitFrame(100);
            Assert.That(f.Recover(WalPosition.Start).Entries, Is.EqualTo(f.Acked));
        }
    }

    [Test]
    public void TornLastFrame_OverAnOlderLap_AtEverySector()
    {
        for (int sectors = 0; sectors < 8; sectors++)
        {
            using var f = new WalFixture();
            f.Wal.Format();
            // Two laps of equal frames: what the torn frame leaves are the same place's older bytes.
            WalPosition checkpoint = default;
            var old = new byte[4096];
            long perLap = WalFixture.RegionBytes / 4096;
            for (long i = 0; i < 2 * perLap + 7; i++)
            {
                checkpoint = i == 2 * perLap ? f.Wal.Next : checkpoint;
                f.Wal.TrimTo(i >= 2 * perLap ? checkpoint : f.Wal.Next);
                f.Device.Read(old, WalFixture.RegionStart + f.Wal.Next.OffsetBytes % WalFixture.RegionBytes);
                f.CommitFrame(3000);
            }
            long last = f.Wal.Next.OffsetBytes - 4096;
            f.Device.Write(old.AsSpan(sectors * 512), WalFixture.RegionStart + last + sectors * 512);
            var (result, entries) = f.Recover(checkpoint);
            int lost = sectors * WalSector.ContentBytes < WalFormat.HeaderBytes + 3000 ? 1 : 0;
            Assert.That(entries, Is.EqualTo(f.Acked.Skip((int)(2 * perLap)).SkipLast(lost).ToList()));
            Assert.That(result.LaterFrameFound, Is.False);
            Assert.That(result.EndDamage, Is.EqualTo(LogEndDamage.None));
        }
    }

    /// <summary>It once was taken for the end of the log: everything behind it was lost without a word.</summary>
    [Test]
    public void DamagedFrame_ThatWentToTheStartOfTheRegion_IsNoticedByTheFramesBehindIt()
    {
        using var f = new WalFixture();
        f.Wal.Format();
        while (f.Wal.Next.OffsetBytes + 12_288 <= WalFixture.RegionBytes)
        {
            f.Wal.TrimTo(f.Wal.Next);
            f.CommitFrame(12_000);
        }
        WalPosition checkpoint = f.Wal.Next;
        f.Wal.TrimTo(checkpoint);
        f.CommitFrame(12_000);
        Assert.That(f.Wal.Next.OffsetBytes, Is.EqualTo(12_288), "it went to the start");
        f.CommitFrame(12_000);
        f.FlipBit(100, 3);
        var (result, entries) = f.Recover(checkpoint);
        Assert.That(entries, Is.Empty);
        Assert.That(result.LaterFrameFound, Is.True);
    }

    [Test]
    public void StaleFrames_OfAnAbandonedTail_AreNotResurrected()
    {
        using var f = new WalFixture();
        f.Wal.Format();
        f.CommitFrame(100);
        long lost = f.Wal.Next.OffsetBytes;
        f.CommitFrame(200);
        f.CommitFrame(300);
        // A device that broke its promise lost the frame in the middle.
        f.Device.Write(new byte[4096], WalFixture.RegionStart + lost);
        var (result, entries) = f.Recover(WalPosition.Start);
        Assert.That(entries, Has.Count.EqualTo(1));
        Assert.That(result.LaterFrameFound, Is.True);
        f.Acked.RemoveRange(1, 2);
        f.CommitFrame(250); // same size and LSN as the lost one: the stale third frame follows it
        Assert.That(f.Recover(WalPosition.Start).Entries, Is.EqualTo(f.Acked));
    }

    [Test]
    public void BitFlip_AnywhereInAFrame_EndsTheReplayThere()
    {
        var random = new Random(7);
        for (int trial = 0; trial < 400; trial++)
        {
            using var f = new WalFixture();
            f.Wal.Format();
            f.CommitFrame(700);
            f.CommitFrame(5000);
            f.CommitFrame(90);
            // Header fields first, then the payload; padding is not covered and does not matter.
            int at = trial < 64 * 2 ? trial / 2 : random.Next(WalFormat.HeaderBytes + 5000);
            f.FlipBit(4096 + PlaceOf(at), random.Next(8));
            var (result, entries) = f.Recover(WalPosition.Start);
            Assert.That(entries, Is.EqualTo(f.Acked.Take(1)), $"flip in byte {at}");
            Assert.That(result.LaterFrameFound, Is.True, "an acknowledged frame was damaged: this must not look like a torn tail");
        }
    }

    /// <summary>It once was taken for a frame that was never finished, and what it held was lost without a word.</summary>
    [Test]
    public void BitFlip_AnywhereInTheLastFrame_IsNotTakenForATornOne([Values(90, 5000)] int bytes)
    {
        var random = new Random(11);
        for (int trial = 0; trial < 300; trial++)
        {
            using var f = new WalFixture();
            f.Wal.Format();
            f.CommitFrame(700);
            f.CommitFrame(bytes);
            int at = trial < 64 * 2 ? trial / 2 : random.Next(WalFormat.HeaderBytes + bytes);
            f.FlipBit(4096 + PlaceOf(at), random.Next(8));
            var (result, entries) = f.Recover(WalPosition.Start);
            Assert.That(entries, Is.EqualTo(f.Acked.Take(1)), $"flip in byte {at}");
            Assert.That(result.EndDamage, Is.EqualTo(LogEndDamage.Frame), $"flip in byte {at}");
            f.Acked.RemoveAt(1);
            f.Wal.Mend(takesUnread: false);
            Assert.That(f.Recover(WalPosition.Start).Result.EndDamage, Is.EqualTo(LogEndDamage.None), "it is told once");
            f.CommitFrame(80);
            Assert.That(f.Recover(WalPosition.Start).Entries, Is.EqualTo(f.Acked));
        }
    }

    [Test]
    public void ALastFrameOfWhichNothingCanBeRead_IsNoticed([Values] bool isZeroed)
    {
        using var f = new WalFixture();
        f.Wal.Format();
        f.CommitFrame(700);
        f.CommitFrame(9000);
        var garbage = new byte[4096];
        if (!isZeroed)
        {
            new Random(3).NextBytes(garbage);
        }
        f.Device.Write(garbage, WalFixture.RegionStart + 4096);
        Assert.That(f.Recover(WalPosition.Start).Result.EndDamage, Is.EqualTo(LogEndDamage.Unreadable));
        f.Wal.Mend(takesUnread: false);
        Assert.That(f.Recover(WalPosition.Start).Result.EndDamage, Is.EqualTo(LogEndDamage.None));
    }

    [Test]
    public void ADamagedLastFrame_ThatWentToTheStartOfTheRegion_IsNoticed()
    {
        using var f = new WalFixture();
        f.Wal.Format();
        while (f.Wal.Next.OffsetBytes + 16_384 <= WalFixture.RegionBytes)
        {
            f.Wal.TrimTo(f.Wal.Next);
            f.CommitFrame(12_000);
        }
        WalPosition checkpoint = f.Wal.Next;
        f.Wal.TrimTo(checkpoint);
        f.CommitFrame(16_000);
        Assert.That(f.Wal.Next.OffsetBytes, Is.EqualTo(16_384), "it went to the start");
        f.FlipBit(700, 3);
        Assert.That(f.Recover(checkpoint).Result.EndDamage, Is.EqualTo(LogEndDamage.Frame));
    }

    [Test]
    public void AWrongBit_WhereTheNextFrameWouldGo_IsNoLoss()
    {
        using var f = new WalFixture();
        f.Wal.Format();
        f.CommitFrame(700);
        for (int sector = 0; sector < 8; sector++)
        {
            f.FlipBit(4096 + sector * 512 + 100, 1);
            LogEndDamage expected = sector < 7 ? LogEndDamage.None : LogEndDamage.Unreadable;
            Assert.That(f.Recover(WalPosition.Start).Result.EndDamage, Is.EqualTo(expected), $"{sector + 1} damaged sectors");
        }
    }

    [Test]
    public void AGap_InWhatIsKept_IsFound()
    {
        using var f = new WalFixture();
        f.Wal.Format();
        f.CommitFrame(700);
        f.CommitFrame(700);
        WalPosition checkpoint = f.Wal.Next;
        f.CommitFrame(700);
        f.Recover(checkpoint);
        using var log = new Wal(f.Device, WalFixture.RegionStart, WalFixture.RegionBytes, WalFixture.LakeTag);
        log.Replay(checkpoint, (in WalFrame _, ReadOnlySpan<byte> _) => { }, WalPosition.Start);
        Assert.That(log.FirstGap(f.Device), Is.Null);
        f.FlipBit(4096 + 70, 2);
        Assert.That(log.FirstGap(f.Device), Is.EqualTo(2));
    }

    [Test]
    public void Frames_OfAnotherLake_AreNotRead()
    {
        using var f = new WalFixture();
        f.Wal.Format();
        f.CommitFrame(700);
        using var other = new Wal(f.Device, WalFixture.RegionStart, WalFixture.RegionBytes, lakeTag: 99);
        WalReplayResult result = other.Replay(WalPosition.Start, (in WalFrame _, ReadOnlySpan<byte> _) => Assert.Fail("a foreign frame"));
        Assert.That(result.Frames, Is.Zero);
        Assert.That(result.LaterFrameFound, Is.False);
    }

    [Test]
    public void AnOlderEpoch_DoesNotFollowANewerOne()
    {
        using var f = new WalFixture();
        f.Wal.Format();
        f.CommitFrame(100);
        f.Wal.Epoch = 2;
        f.CommitFrame(100);
        Assert.That(f.Recover(WalPosition.Start).Entries, Is.EqualTo(f.Acked.Take(1)));
        Assert.That(f.Wal.Epoch, Is.EqualTo(3));
    }

    [TestCase(0UL, 0)]
    [TestCase(1UL, 100)]
    [TestCase(1UL, -4096)]
    [TestCase(1UL, 1L << 40)]
    public void Replay_FromAPositionOutsideTheRegion_IsCorruption(ulong lsn, long offset)
    {
        using var f = new WalFixture();
        var failure = Assert.Throws<StorageException>(() => f.Recover(new WalPosition(lsn, offset)));
        Assert.That(failure!.IsCorruption, Is.True);
    }

    [Test]
    public void Garbage_InTheWholeRegion_IsAnEmptyLog()
    {
        using var f = new WalFixture();
        var garbage = new byte[WalFixture.RegionBytes];
        new Random(5).NextBytes(garbage);
        f.Device.Write(garbage, WalFixture.RegionStart);
        var (result, entries) = f.Recover(WalPosition.Start);
        Assert.That(entries, Is.Empty);
        Assert.That(result.EndDamage, Is.EqualTo(LogEndDamage.Unreadable));
    }

    [Test]
    public void PowerCuts_LoseNothingAcknowledged([Range(1, 40)] int seed)
    {
        var faulty = new FaultyBlockDevice(WalFixture.NewDevice(), seed);
        using var f = new WalFixture(faulty);
        f.Wal.Format();
        var random = new Random(seed);
        WalPosition checkpoint = WalPosition.Start;
        for (int cycle = 0; cycle < 12; cycle++)
        {
            faulty.Plan = new FaultPlan
            {
                PowerCutAtOperation = faulty.Operations + 1 + random.Next(150),
                LossProbability = random.NextDouble(),
            };
            try
            {
                while (true)
                {
                    if (f.Wal.UsedFraction > 0.5)
                    {
                        checkpoint = f.Wal.Next;
                        f.Wal.TrimTo(checkpoint);
                        f.Acked.Clear();
                    }
                    f.CommitFrame(random.Next(12, 9000), random.Next(12, 60_000));
                }
            }
            catch (StorageException)
            {
                Assert.That(faulty.IsDead, Is.True);
            }
            faulty.PowerOn();
            ulong firstUnacked = f.NextSeq - 2;
            var (result, entries) = f.Recover(checkpoint);
            // Everything acknowledged is there; the frame in flight is there whole or not at all.
            Assert.That(entries.Count - f.Acked.Count, Is.AnyOf(0, 2));
            Assert.That(entries.Take(f.Acked.Count), Is.EqualTo(f.Acked));
            Assert.That(entries.Skip(f.Acked.Count).All(e => e.Seq >= firstUnacked), Is.True);
            Assert.That(result.EndDamage, Is.EqualTo(LogEndDamage.None));
            f.Acked.AddRange(entries.Skip(f.Acked.Count).ToList());
            Assert.That(result.LaterFrameFound, Is.False);
        }
    }

    /// <summary>A kept block that fails for a moment while a mount clears the log must not be overwritten.</summary>
    [TestCase(false)]
    [TestCase(true)]
    public void WhatTheDeviceCannotRead_IsClearedByARepairOnly(bool takesUnread)
    {
        using var memory = new MemoryBlockDevice(4L << 20);
        WalRegion.Clear(memory, 0, 4L << 20);
        memory.Write(new byte[4096], 20 * 4096); // damaged, and can be read
        var bad = new BadBlocksDevice(memory) { Bad = { 21 } };
        WalRegion.ClearDamaged(new SalvagingDevice(bad), 0, 4L << 20, takesUnread);
        Assert.That(bad.Bad, Has.Count.EqualTo(takesUnread ? 0 : 1));
        byte[] block = new byte[4096];
        memory.Read(block, 20 * 4096);
        Assert.That(WalSector.IsWhole(block.AsSpan(0, 512)), Is.True);
    }

    [Test]
    public void Control_WithoutFlushes_AcknowledgedFramesAreLost()
    {
        int lost = 0;
        for (int seed = 1; seed <= 20; seed++)
        {
            var plan = new FaultPlan { IgnoreFlushes = true };
            var faulty = new FaultyBlockDevice(WalFixture.NewDevice(), seed, plan);
            using var f = new WalFixture(faulty);
            f.Wal.Format();
            for (int i = 0; i < 20; i++)
            {
                f.CommitFrame(600);
            }
            faulty.CutPower();
            faulty.PowerOn();
            lost += f.Recover(WalPosition.Start).Entries.Count < f.Acked.Count ? 1 : 0;
        }
        Assert.That(lost, Is.EqualTo(20));
    }

    /// <summary>Where a byte of a frame's content is on the device, from the frame's start on.</summary>
    private static int PlaceOf(int content) => content / WalSector.ContentBytes * WalSector.Bytes + content % WalSector.ContentBytes;
}
