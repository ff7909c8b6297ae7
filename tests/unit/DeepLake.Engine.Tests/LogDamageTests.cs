// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Platform;
using DeepLake.Sim;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>Whatever is damaged of the log of a lake that a power cut ended: no acknowledged change is lost without a word.</summary>
[TestFixture]
public sealed class LogDamageTests
{
    private const long DeviceBytes = 96L << 20;
    private const int BlockBytes = LakeFormat.BlockSize;
    private const int SectorBytes = LakeFormat.WalSector;

    [Test]
    public void DamageOfTheLog_IsRefused_OrToldOf_OrCostsNothing([Range(1, 6)] int seed)
    {
        using var memory = new MemoryBlockDevice(DeviceBytes);
        Region log = Make(memory, seed);
        byte[] whole = new byte[log.Blocks * BlockBytes];
        memory.Read(whole, (long)log.StartBlock * BlockBytes);
        long used = UsedBytes(whole);
        string expected = Dump(memory, out string? told);
        Assert.That(told, Is.Null, "a power cut is no damage");
        var random = new Random(seed);
        var outcomes = new Dictionary<string, int>();
        for (int trial = 0; trial < 100; trial++)
        {
            byte[] damaged = [.. whole];
            string what = Damage(damaged, random, used);
            memory.Write(damaged, (long)log.StartBlock * BlockBytes);
            string outcome = Outcome(memory, expected);
            Assert.That(outcome, Is.Not.EqualTo("silent"), $"trial {trial}: {what}");
            outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
        }

        Assert.That(outcomes.Keys, Is.EquivalentTo(["refused", "told", "whole"]), "all of it was seen");
    }

    /// <summary>Of a lake that was unmounted cleanly before, so that either copy may be the one that is left.</summary>
    [Test]
    public void DamageOfTheLogAndOfACheckpoint_IsRefused_OrToldOf_OrCostsNothing([Range(1, 3)] int seed)
    {
        var random = new Random(seed);
        using var memory = new MemoryBlockDevice(DeviceBytes);
        Superblock newest = MakeMountedAgain(memory, random.Next(3, 40));
        byte[] head = Read(memory, 0, newest.Wal.StartBlock + newest.Wal.Blocks);
        byte[] tail = Read(memory, newest.DeviceBlocks - 1, 1);
        long used = UsedBytes(head.AsSpan((int)newest.Wal.StartBlock * BlockBytes));
        string expected = Dump(memory, out _);
        for (int trial = 0; trial < 100; trial++)
        {
            byte[] damaged = [.. head];
            byte[] copyB = [.. tail];
            string what = Damage(damaged.AsSpan((int)newest.Wal.StartBlock * BlockBytes), random, used);
            Span<byte> other = random.Next(4) switch
            {
                0 => damaged.AsSpan((int)LakeFormat.SuperblockABlock * BlockBytes, BlockBytes),
                1 => copyB,
                int ticket => damaged.AsSpan((int)newest.Ticket[ticket - 2].StartBlock * BlockBytes, BlockBytes),
            };
            other.Slice(0, 400).Clear();
            memory.Write(damaged, 0);
            memory.Write(copyB, DeviceBytes - BlockBytes);
            Assert.That(Outcome(memory, expected), Is.Not.EqualTo("silent"), $"trial {trial}: {what}, and a checkpoint");
        }
    }

    /// <summary>Found by a stranger: the copy that is left had the clean mark, and what came after it was lost without a word.</summary>
    [Test]
    public void WithTheMountsSuperblockAndTheLogDamaged_TheLossIsTold()
    {
        using var memory = new MemoryBlockDevice(DeviceBytes);
        Superblock newest = MakeMountedAgain(memory, 60);
        Zero(memory, newest.Generation % 2 == 0 ? newest.DeviceBlocks - 1 : LakeFormat.SuperblockABlock, 1);
        Zero(memory, newest.Wal.StartBlock, newest.Wal.Blocks);
        using LakeEngine found = Lake.Open(memory);
        Assert.That(found.LogLoss, Does.Contain("may be lost"));
        Assert.That(found.WhyEndIsUnknown, Does.Contain("superblock copy"));
        Assert.That(found.WasClean, Is.False);
        Assert.That(found.EndedCleanly, Is.False);
    }

    /// <summary>
    /// Found by a stranger: behind a hole of more than a frame's length the log had frames, which a later recovery
    /// took for those that follow, and refused a sound lake.
    /// </summary>
    [Test]
    public void FramesBehindALargeHole_AreFoundAtOnce_AndNotTakenForLaterOnesAfterARepair()
    {
        using var memory = new MemoryBlockDevice(DeviceBytes);
        Superblock newest = MakeMountedAgain(memory, 600);
        ulong hole = newest.Wal.StartBlock + (newest.CheckpointWalOffset / BlockBytes) + 30;
        byte[] behind = Read(memory, hole + 320, newest.Wal.StartBlock + newest.Wal.Blocks - hole - 320);
        Zero(memory, hole, 320);
        Assert.That(() => Lake.Open(memory), Throws.InstanceOf<LakeFormatException>().With.Message.Contains("later frames are whole"));

        Zero(memory, hole, newest.Wal.StartBlock + newest.Wal.Blocks - hole);
        using (LakeEngine repaired = Lake.Open(memory))
        {
            Assert.That(repaired.LogLoss, Is.Not.Null);
            repaired.MakeWhole(false);
        }

        // what was behind the hole comes back: of a history that was given up
        memory.Write(behind, (long)(hole + 320) * BlockBytes);
        Set(memory, 20);
        using LakeEngine again = Lake.Open(memory);
        Assert.That(again.LogLoss, Is.Null);
        again.MakeWhole(false);
        Assert.That(again.AuditLog(memory), Is.Null);
    }

    /// <summary>Found by a stranger: each of them was told of as the last, one after each mount.</summary>
    [Test]
    public void SeveralDamagedFramesAtTheEnd_AreToldOnce([Values] bool isRepaired)
    {
        using var memory = new MemoryBlockDevice(DeviceBytes);
        Superblock newest = MakeMountedAgain(memory, 12);
        byte[] log = Read(memory, newest.Wal.StartBlock, newest.Wal.Blocks);
        long end = UsedBytes(log);
        for (int back = 1; back <= 3; back++)
        {
            log[end - (back * BlockBytes) + 70] ^= 1;
        }

        memory.Write(log, (long)newest.Wal.StartBlock * BlockBytes);
        using (LakeEngine found = Lake.Open(memory))
        {
            Assert.That(found.LogLoss, Does.Contain("is damaged"));
            if (isRepaired)
            {
                found.MakeWhole(false);
            }
        }

        for (int mount = 0; mount < 4; mount++)
        {
            using (LakeEngine engine = Lake.Open(memory))
            {
                Assert.That(engine.LogLoss is null, Is.EqualTo(isRepaired || mount > 0), $"mount {mount}");
                Lake.Mount(engine);
            }
        }

        using LakeEngine last = Lake.Open(memory);
        Assert.That(last.AuditLog(memory), Is.Null);
    }

    [Test]
    public void DamageOfUnusedSpace_IsFoundBeforeAFrameIsLookedForThere()
    {
        using var memory = new MemoryBlockDevice(DeviceBytes);
        Superblock newest = MakeMountedAgain(memory, 12);
        Zero(memory, newest.Wal.StartBlock + newest.Wal.Blocks - 5, 2);
        using (LakeEngine found = Lake.Open(memory))
        {
            Assert.That(found.LogLoss, Is.Null);
            Assert.That(found.AuditLog(memory)!.What, Does.Contain("in 2 of its unused blocks"));
            found.MakeWhole(false);
        }

        using LakeEngine repaired = Lake.Open(memory);
        Assert.That(repaired.AuditLog(memory), Is.Null);
    }

    // Unmounted cleanly, mounted again, and so many frames of one block, which a power cut ended.
    private static Superblock MakeMountedAgain(MemoryBlockDevice memory, int frames)
    {
        Lake.Format(memory);
        using (LakeEngine engine = Lake.Open(memory))
        {
            Lake.Mount(engine);
            Lake.Unmount(engine);
        }

        return Set(memory, frames);
    }

    private static Superblock Set(MemoryBlockDevice memory, int frames)
    {
        using LakeEngine engine = Lake.Open(memory);
        Lake.Mount(engine);
        for (int i = 0; i < frames; i++)
        {
            var intent = new IntentXattr { Ino = 1, Action = XattrAction.Set, NameBytes = 6, ValueBytes = 8 };
            engine.Apply(IntentWriter.Encode(intent, IntentOp.Xattr, engine.AppliedSeq + 1, [.. IntentWriter.Name("user.a"), .. BitConverter.GetBytes((long)i)]));
            engine.Commit();
        }

        return engine.Superblock;
    }

    private static void Zero(MemoryBlockDevice memory, ulong block, ulong blocks) =>
        memory.Write(new byte[blocks * BlockBytes], (long)block * BlockBytes);

    private static byte[] Read(MemoryBlockDevice memory, ulong block, ulong blocks)
    {
        byte[] bytes = new byte[blocks * BlockBytes];
        memory.Read(bytes, (long)block * BlockBytes);
        return bytes;
    }

    private static string Outcome(IBlockDevice device, string expected)
    {
        try
        {
            return Dump(device, out string? told) == expected ? "whole" : told is null ? "silent" : "told";
        }
        catch (LakeFormatException refusal) when (refusal.Errno == Errno.EUCLEAN)
        {
            return "refused";
        }
    }

    // Somewhere in what is used of the log, often near its end.
    private static string Damage(Span<byte> log, Random random, long used)
    {
        long at = random.Next(2) == 0 ? random.NextInt64(used) : Math.Max(0, used - 1 - random.NextInt64(3 * BlockBytes));
        int sector = (int)(at / SectorBytes * SectorBytes);
        int block = (int)(at / BlockBytes * BlockBytes);
        switch (random.Next(6))
        {
            case 0:
                log[(int)at] ^= (byte)(1 << random.Next(8));
                return $"a bit at {at}";
            case 1:
                log.Slice(sector, SectorBytes).Clear();
                return $"a sector at {sector} is zero";
            case 2:
                random.NextBytes(log.Slice(sector, SectorBytes));
                return $"a sector at {sector} is garbage";
            case 3:
                log.Slice(block, BlockBytes).Clear();
                return $"a block at {block} is zero";
            case 4:
                random.NextBytes(log.Slice(block, BlockBytes));
                return $"a block at {block} is garbage";
            default:
                log[block..].Clear();
                return $"all from {block} on is zero";
        }
    }

    // Up to the last sector that is of a frame.
    private static long UsedBytes(ReadOnlySpan<byte> log)
    {
        int end = log.Length;
        while (MemoryMarshal.Read<WalSectorFormat>(log[(end - SectorBytes)..]).Frame == 0)
        {
            end -= SectorBytes;
        }

        return end;
    }

    /// <summary>A lake with a checkpoint in the middle of its log; returns the log's region.</summary>
    private static Region Make(MemoryBlockDevice memory, int seed)
    {
        Lake.Format(memory);
        var kernel = new SimKernel(seed);
        using LakeEngine engine = Lake.Open(memory);
        Lake.Mount(engine);
        for (int step = 1; step <= 240; step++)
        {
            kernel.Step(engine);
            if (step == 120)
            {
                engine.Checkpoint();
            }
            else if (step % 12 == 0)
            {
                engine.Commit();
            }
        }

        return engine.Superblock.Wal;
    }

    private static string Dump(IBlockDevice device, out string? told)
    {
        using LakeEngine engine = Lake.Open(device);
        told = engine.LogLoss;
        return Lake.Dump(engine);
    }
}
