// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Check;
using DeepLake.Sim;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

[TestFixture]
public sealed class EngineTests
{
    private const long DeviceBytes = 128L << 20;

    [TestCase(1)]
    [TestCase(2)]
    public void RandomIntents_KeepTheLakeConsistent_AndSurviveAReopen(int seed)
    {
        using var device = new MemoryBlockDevice(DeviceBytes);
        Lake.Format(device);
        var kernel = new SimKernel(seed);
        string dump;
        using (LakeEngine engine = Lake.Open(device))
        {
            Assert.That(engine.WasClean, Is.True);
            Lake.Mount(engine);
            for (int step = 0; step < 6000; step++)
            {
                kernel.Step(engine);
                if (step % 200 == 0)
                {
                    engine.Commit();
                }

                if (step % 1500 == 0)
                {
                    AssertClean(engine);
                }
            }

            AssertClean(engine);
            Lake.Unmount(engine);
            dump = Lake.Dump(engine);
        }

        using LakeEngine again = Lake.Open(device);
        Assert.That(again.WasClean, Is.True);
        Assert.That(again.AppliedSeq, Is.EqualTo(kernel.LastSeq));
        Assert.That(Lake.Dump(again), Is.EqualTo(dump));
    }

    [TestCase(10)]
    [TestCase(11)]
    [TestCase(12)]
    [TestCase(13)]
    [TestCase(14)]
    [TestCase(15)]
    public void PowerCuts_LeaveAPrefix_ThatHoldsEverythingCommitted(int seed)
    {
        using var memory = new MemoryBlockDevice(DeviceBytes);
        using var device = new FaultyBlockDevice(memory, seed);
        Lake.Format(device);
        var random = new Random(seed);
        var kernel = new SimKernel(seed);
        ulong committed = 0;
        for (int life = 0; life < 6; life++)
        {
            device.Plan.PowerCutAtOperation = device.Operations + random.Next(5, 700);
            try
            {
                using LakeEngine engine = Lake.Open(device);
                Attach(engine, kernel, committed, firstLife: life == 0);
                for (int step = 0; step < 1500; step++)
                {
                    kernel.Step(engine);
                    if (random.Next(40) == 0)
                    {
                        committed = engine.Commit();
                    }

                    if (random.Next(60) == 0)
                    {
                        engine.PrepareCheckpoint();
                    }

                    if (engine.CheckpointDue || random.Next(400) == 0)
                    {
                        engine.Checkpoint();
                        committed = engine.DurableSeq;
                    }
                }
            }
            catch (StorageException)
            {
                // the power went; what follows is the next life
            }

            if (!device.IsDead)
            {
                device.CutPower();
            }

            device.PowerOn();
            device.Plan.PowerCutAtOperation = 0;
            using LakeEngine recovered = Lake.Open(device);
            Assert.That(recovered.AppliedSeq, Is.GreaterThanOrEqualTo(committed), "an acknowledged change is lost");
            AssertClean(recovered);
            AssertIsPrefix(recovered, kernel);
        }
    }

    [Test]
    public void WithoutFlushes_PowerCutsLoseCommittedChanges()
    {
        int losses = 0;
        for (int seed = 1; seed <= 12 && losses == 0; seed++)
        {
            using var memory = new MemoryBlockDevice(DeviceBytes);
            using var device = new FaultyBlockDevice(memory, seed);
            Lake.Format(device);
            device.Plan.IgnoreFlushes = true;
            var kernel = new SimKernel(seed);
            ulong committed = 0;
            using (LakeEngine engine = Lake.Open(device))
            {
                Lake.Mount(engine);
                for (int step = 0; step < 400; step++)
                {
                    kernel.Step(engine);
                    committed = step % 20 == 0 ? engine.Commit() : committed;
                }
            }

            device.CutPower();
            device.PowerOn();
            try
            {
                using LakeEngine recovered = Lake.Open(device);
                losses += recovered.AppliedSeq < committed ? 1 : 0;
            }
            catch (LakeFormatException)
            {
                losses++;
            }
        }

        Assert.That(losses, Is.GreaterThan(0), "the instrument does not see lost flushes");
    }

    [Test]
    public void ANewEpoch_ReapsOrphansAndFreesTheirBlocks()
    {
        using var device = new MemoryBlockDevice(DeviceBytes);
        Lake.Format(device);
        using (LakeEngine engine = Lake.Open(device))
        {
            Lake.Mount(engine);
            engine.Apply(IntentWriter.Encode(new IntentCreate { Ino = 20, Mode = 0x8180 }, IntentOp.Create, 1));
            ulong data = engine.Superblock.Data.StartBlock;
            engine.Apply(IntentWriter.Encode(new IntentMap { Ino = 20, PhysBlock = data, Blocks = 8 }, IntentOp.Map, 2));
            engine.Commit();
        }

        using LakeEngine again = Lake.Open(device);
        Assert.That(again.WasClean, Is.False);
        Assert.That(again.GetStats().Orphans, Is.EqualTo(1ul));
        Assert.That(again.GetStats().UsedBlocks, Is.EqualTo(8ul));
        Assert.That(Lake.Mount(again).Epoch, Is.EqualTo(2ul));
        Assert.That(again.GetStats().Orphans, Is.Zero);
        Assert.That(again.GetStats().UsedBlocks, Is.Zero);
        AssertClean(again);
    }

    [Test]
    public void ImpossibleIntents_AreFaults()
    {
        using var device = new MemoryBlockDevice(DeviceBytes);
        Lake.Format(device);
        byte[][] bad =
        [
            IntentWriter.Encode(new IntentUnlink { Dir = 1, Ino = 77, NameBytes = 1 }, IntentOp.Unlink, 1, "x"u8.ToArray()),
            IntentWriter.Encode(new IntentCreate { Dir = 1, Ino = 5, Mode = 0x8180, NameBytes = 1 }, IntentOp.Create, 1, "x"u8.ToArray()),
            IntentWriter.Encode(new IntentCreate { Dir = 1, Ino = 50, Mode = 0x8180, NameBytes = 2 }, IntentOp.Create, 1, ".."u8.ToArray()),
            IntentWriter.Encode(new IntentCreate { Dir = 99, Ino = 50, Mode = 0x8180, NameBytes = 1 }, IntentOp.Create, 1, "x"u8.ToArray()),
            IntentWriter.Encode(new IntentSetattr { Ino = 1, Valid = AttrMask.Size, Size = 5 }, IntentOp.Setattr, 1),
            IntentWriter.Encode(new IntentMap { Ino = 1, PhysBlock = 1, Blocks = 1 }, IntentOp.Map, 1),
            IntentWriter.Encode(new IntentRelease { Ino = 1 }, IntentOp.Release, 1),
            IntentWriter.Encode(new IntentRelease { Ino = 1 }, IntentOp.Seal, 1),
            IntentWriter.Encode(new IntentRelease { Ino = 1 }, IntentOp.Release, 2),
            [.. IntentWriter.Encode(new IntentRelease { Ino = 1 }, IntentOp.Release, 1).AsSpan(0, 16)],
        ];
        foreach (byte[] entry in bad)
        {
            using LakeEngine engine = Lake.Open(device);
            Assert.That(() => engine.Apply(entry), Throws.InstanceOf<IntentFaultException>());
        }
    }

    [Test]
    public void AMapOverBlocksOfAnotherFile_IsAFault()
    {
        using var device = new MemoryBlockDevice(DeviceBytes);
        Lake.Format(device);
        using LakeEngine engine = Lake.Open(device);
        ulong data = engine.Superblock.Data.StartBlock;
        engine.Apply(IntentWriter.Encode(new IntentCreate { Ino = 20, Mode = 0x8180 }, IntentOp.Create, 1));
        engine.Apply(IntentWriter.Encode(new IntentCreate { Ino = 21, Mode = 0x8180 }, IntentOp.Create, 2));
        engine.Apply(IntentWriter.Encode(new IntentMap { Ino = 20, PhysBlock = data, Blocks = 8 }, IntentOp.Map, 3));
        byte[] entry = IntentWriter.Encode(new IntentMap { Ino = 21, PhysBlock = data + 7, Blocks = 2 }, IntentOp.Map, 4);
        Assert.That(() => engine.Apply(entry), Throws.InstanceOf<IntentFaultException>());
    }

    [Test]
    public void DamagedNewestSuperblock_FallsBackToTheOtherCopyAndALongerLog()
    {
        using var device = new MemoryBlockDevice(DeviceBytes);
        Lake.Format(device);
        var kernel = new SimKernel(3);
        string dump;
        ulong generation;
        using (LakeEngine engine = Lake.Open(device))
        {
            Lake.Mount(engine);
            for (int step = 0; step < 900; step++)
            {
                kernel.Step(engine);
                if (step % 300 == 299)
                {
                    engine.Checkpoint();
                }
            }

            engine.Commit();
            dump = Lake.Dump(engine);
            generation = engine.Superblock.Generation;
        }

        long newest = (generation & 1) == 1 ? 4096 : DeviceBytes - 4096;
        device.Write(new byte[4096], newest);
        using LakeEngine again = Lake.Open(device);
        Assert.That(Lake.Dump(again), Is.EqualTo(dump));
        AssertClean(again);
    }

    /// <summary>The next checkpoint once went over the only good copy: a crash in it lost the lake.</summary>
    [Test]
    public void AfterFallingBack_ACrashInTheNextCheckpoint_LeavesTheGoodCopyWhole()
    {
        using var memory = new MemoryBlockDevice(DeviceBytes);
        using var device = new FaultyBlockDevice(memory, 5);
        Lake.Format(device);
        var kernel = new SimKernel(4);
        Superblock newest;
        using (LakeEngine engine = Lake.Open(device))
        {
            Lake.Mount(engine);
            for (int step = 0; step < 600; step++)
            {
                kernel.Step(engine);
            }

            engine.Checkpoint();
            newest = engine.Superblock;
        }

        device.Write(new byte[4096], (long)newest.Ticket[(int)(newest.Generation & 1)].StartBlock * 4096);
        device.Flush();
        for (int cut = 1; cut < 40; cut++)
        {
            try
            {
                using LakeEngine engine = Lake.Open(device);
                Assert.That(engine.AppliedSeq, Is.EqualTo(kernel.LastSeq));
                device.Plan.PowerCutAtOperation = device.Operations + cut;
                engine.Checkpoint();
                device.Plan.PowerCutAtOperation = 0;
                break;
            }
            catch (StorageException)
            {
                device.PowerOn();
                device.Plan.PowerCutAtOperation = 0;
            }
        }

        using LakeEngine again = Lake.Open(device);
        Assert.That(again.AppliedSeq, Is.EqualTo(kernel.LastSeq));
        AssertClean(again);
    }

    [Test]
    public void ADeviceThatIsNoLake_IsRefusedWithTheReason()
    {
        using var empty = new MemoryBlockDevice(DeviceBytes);
        Assert.That(() => Lake.Open(empty), Throws.InstanceOf<LakeFormatException>().With.Message.Contains("not a DeepLake device"));
        using var device = new MemoryBlockDevice(DeviceBytes);
        Lake.Format(device);
        using var half = new MemoryBlockDevice(DeviceBytes / 2);
        byte[] block = new byte[4096];
        device.Read(block, 4096);
        half.Write(block, 4096);
        Assert.That(() => Lake.Open(half), Throws.InstanceOf<LakeFormatException>().With.Message.Contains("truncated"));
        block[100] ^= 1;
        device.Write(block, 4096);
        device.Write(block, DeviceBytes - 4096);
        Assert.That(() => Lake.Open(device), Throws.InstanceOf<LakeFormatException>().With.Message.Contains("checksum"));
        using var small = new MemoryBlockDevice(32 << 20);
        Assert.That(() => Lake.Format(small), Throws.InstanceOf<LakeFormatException>().With.Message.Contains("at least"));
    }

    private static void Attach(LakeEngine engine, SimKernel kernel, ulong committed, bool firstLife)
    {
        Assert.That(engine.AppliedSeq, Is.GreaterThanOrEqualTo(committed));
        if (firstLife)
        {
            Lake.Mount(engine);
            return;
        }

        // the same mount with a new daemon: leases declared, records sent again
        kernel.Declare(engine);
        kernel.Resend(engine);
    }

    private static void AssertClean(LakeEngine engine)
    {
        CheckReport report = Lake.Check(engine);
        Assert.That(report.Findings, Is.Empty);
    }

    private static void AssertIsPrefix(LakeEngine recovered, SimKernel kernel)
    {
        using var device = new MemoryBlockDevice(DeviceBytes);
        Lake.Format(device);
        using LakeEngine twin = Lake.Open(device);
        for (int i = 0; i < (int)recovered.AppliedSeq; i++)
        {
            twin.Apply(kernel.Records[i]);
        }

        Assert.That(Lake.DumpFiles(recovered) == Lake.DumpFiles(twin), Is.True, "the recovered state is not a prefix");
    }
}
