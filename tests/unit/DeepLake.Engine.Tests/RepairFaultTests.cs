// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Sim;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>A repair that writes two checkpoints, and a power cut at each of its steps.</summary>
[TestFixture]
public sealed class RepairFaultTests
{
    private const long DeviceBytes = 96L << 20;
    private const int BlockBytes = LakeFormat.BlockSize;

    /// <summary>What is wrong with the lake.</summary>
    public enum Damaged
    {
        LastFrame,
        WholeLog,
        NewestTicket,
        OlderSuperblock,
        Archive,
    }

    [TestCase(Damaged.LastFrame, false)]
    [TestCase(Damaged.WholeLog, false)]
    [TestCase(Damaged.WholeLog, true)]
    [TestCase(Damaged.NewestTicket, false)]
    [TestCase(Damaged.NewestTicket, true)]
    [TestCase(Damaged.OlderSuperblock, false)]
    [TestCase(Damaged.OlderSuperblock, true)]
    [TestCase(Damaged.Archive, false)]
    [TestCase(Damaged.Archive, true)]
    public void APowerCut_AtAnyStepOfARepair_LeavesTheSameState_ForTheNext(Damaged what, bool endsCleanly)
    {
        int steps = 0;
        for (bool wasCut = true; wasCut; steps++)
        {
            using var memory = new MemoryBlockDevice(DeviceBytes);
            Make(memory, what, endsCleanly);
            string before = Dump(memory, out ulong seq);
            using var device = new FaultyBlockDevice(memory, seed: steps);
            using (LakeEngine engine = Lake.Open(device))
            {
                device.Plan.PowerCutAtOperation = device.Operations + 1 + steps;
                wasCut = Throws(() => Repair(engine, memory, what));
            }

            device.Plan.PowerCutAtOperation = 0;
            device.CutPower();
            device.PowerOn();
            Assert.That(Dump(memory, out ulong cut), Is.EqualTo(before), $"cut at step {steps}");
            Assert.That(cut, Is.EqualTo(seq));
            using (LakeEngine engine = Lake.Open(memory))
            {
                Repair(engine, memory, what);
            }

            Assert.That(Dump(memory, out _), Is.EqualTo(before), $"repaired after a cut at step {steps}");
            using LakeEngine whole = Lake.Open(memory);
            Assert.That(whole.LogLoss, Is.Null, "it is told once");
            Assert.That(whole.FellBack, Is.False);
            Assert.That(whole.EndedCleanly, Is.EqualTo(endsCleanly));
            Assert.That(whole.AuditLog(memory), Is.Null, $"after a cut at step {steps}");
            Assert.That(Lake.Check(whole).Findings, Is.Empty);
        }

        Assert.That(steps, Is.GreaterThan(8), "a repair is more than a few writes");
    }

    private static void Repair(LakeEngine engine, MemoryBlockDevice memory, Damaged what) =>
        engine.MakeWhole(what == Damaged.Archive || engine.AuditLog(memory) is { IsKept: true });

    private static void Make(MemoryBlockDevice memory, Damaged what, bool endsCleanly)
    {
        Lake.Format(memory);
        var kernel = new SimKernel(3);
        Superblock superblock;
        using (LakeEngine engine = Lake.Open(memory))
        {
            Lake.Mount(engine);
            for (int step = 0; step < 300; step++)
            {
                kernel.Step(engine);
                if (step % 100 == 50)
                {
                    engine.Checkpoint();
                }
            }

            engine.Commit();
            if (endsCleanly)
            {
                Lake.Unmount(engine);
            }

            superblock = engine.Superblock;
        }

        Damage(memory, superblock, what);
        using LakeEngine found = Lake.Open(memory);
        Assert.That(what == Damaged.LastFrame || (what == Damaged.WholeLog && !endsCleanly), Is.EqualTo(found.LogLoss is not null));
        Assert.That(what == Damaged.NewestTicket, Is.EqualTo(found.FellBack));
    }

    private static void Damage(MemoryBlockDevice memory, in Superblock superblock, Damaged what)
    {
        switch (what)
        {
            case Damaged.LastFrame:
                Flip(memory, LastFrame(memory, superblock.Wal) + 90);
                break;
            case Damaged.WholeLog:
                memory.Write(new byte[superblock.Wal.Blocks * BlockBytes], (long)superblock.Wal.StartBlock * BlockBytes);
                break;
            case Damaged.NewestTicket:
                Flip(memory, ((long)superblock.Ticket[(int)(superblock.Generation & 1)].StartBlock * BlockBytes) + 20);
                break;
            case Damaged.OlderSuperblock:
                Flip(memory, superblock.Generation % 2 == 0 ? BlockBytes + 100 : DeviceBytes - BlockBytes + 100);
                break;
            default: // a segment of it: the engine is told
                break;
        }
    }

    private static long LastFrame(MemoryBlockDevice memory, Region log)
    {
        byte[] block = new byte[BlockBytes];
        (ulong lsn, long place) = (0, 0);
        for (ulong at = log.StartBlock; at < log.StartBlock + log.Blocks; at++)
        {
            memory.Read(block, (long)at * BlockBytes);
            WalFrame frame = MemoryMarshal.Read<WalFrame>(block);
            (lsn, place) = frame.Magic == LakeFormat.WalMagic && frame.Lsn > lsn ? (frame.Lsn, (long)at * BlockBytes) : (lsn, place);
        }

        return place;
    }

    private static string Dump(IBlockDevice device, out ulong seq)
    {
        using LakeEngine engine = Lake.Open(device);
        seq = engine.AppliedSeq;
        return Lake.DumpFiles(engine);
    }

    private static void Flip(MemoryBlockDevice memory, long offset)
    {
        byte[] one = new byte[1];
        memory.Read(one, offset);
        one[0] ^= 4;
        memory.Write(one, offset);
    }

    private static bool Throws(Action work)
    {
        try
        {
            work();
            return false;
        }
        catch (StorageException)
        {
            return true;
        }
    }
}
