// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Check;
using DeepLake.Engine.Archive;
using DeepLake.Sim;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>
/// The simulator's kernel and ingest make a lake, whose archive has several bases; what is left of it has to
/// give the same files, and all data has to be proven.
/// </summary>
[TestFixture]
public sealed class RebuildTests
{
    private const int Rounds = 5;
    private const int StepsPerRound = 150;

    private static readonly EngineOptions Options = Lake.Options with { ArchiveBaseBytes = 1 << 20 };

    [Test]
    public void AnUnmountedLake_ComesBackWhole_FromItsDataRegion([Range(1, 6)] int seed)
    {
        using MemoryBlockDevice device = Make(seed, isUnmounted: true, out string before, out Superblock superblock);
        Zero(device, 0, superblock.Sums.StartBlock);
        Zero(device, superblock.DeviceBlocks - 1, 1);
        AssertRebuilt(device, before);
    }

    /// <summary>The superblocks and the log are left.</summary>
    [Test]
    public void ALakeThatWasInUse_ComesBackWhole_WithItsLog([Range(7, 10)] int seed)
    {
        using MemoryBlockDevice device = Make(seed, isUnmounted: false, out string before, out Superblock superblock);
        Zero(device, superblock.Pages.StartBlock, superblock.Pages.Blocks);
        AssertRebuilt(device, before);
    }

    /// <summary>Without the checksum table identities prove what they can; the rest is taken as it is, and nothing called damaged.</summary>
    [Test]
    public void ALostChecksumTable_IsWrittenAnew([Range(11, 13)] int seed)
    {
        using MemoryBlockDevice device = Make(seed, isUnmounted: true, out string before, out Superblock superblock);
        Zero(device, 0, superblock.Data.StartBlock);
        Zero(device, superblock.DeviceBlocks - 1, 1);
        RebuildResult result = AssertRebuilt(device, before);
        Assert.That(result.MendedSums, Is.GreaterThan(0));
    }

    private static MemoryBlockDevice Make(int seed, bool isUnmounted, out string files, out Superblock superblock)
    {
        var memory = new MemoryBlockDevice(128L << 20);
        var device = new FaultyBlockDevice(memory, seed);
        Lake.Format(device);
        using LakeEngine engine = LakeEngine.Open(device, new DeviceCommitSink(device), Options);
        Lake.Mount(engine);
        var kernel = new SimKernel(seed, null, device);
        using var ingest = new SimIngest(seed, kernel, device, engine);
        int bases = 0;
        for (int round = 0; round < Rounds; round++)
        {
            for (int step = 0; step < StepsPerRound; step++)
            {
                kernel.Step(engine);
                ingest.Step();
            }

            kernel.Send(engine, int.MaxValue);
            engine.Checkpoint();
            bases += (round + seed) % 2 == 0 && new BaseWriter(device, engine, Options).Run() ? 1 : 0;
        }

        Assert.That(bases, Is.GreaterThan(1));
        if (isUnmounted)
        {
            Lake.Unmount(engine);
        }
        else
        {
            engine.Commit();
        }

        files = Lake.DumpFiles(engine);
        superblock = engine.Superblock;
        return memory;
    }

    private static RebuildResult AssertRebuilt(IBlockDevice device, string files)
    {
        using var planner = new RebuildPlanner(device);
        RebuildPlan plan = planner.Plan(ArchiveSurvey.Read(device));
        Assert.That((plan.IsComplete, plan.Base.Count > 0), Is.EqualTo((true, true)), string.Join("; ", plan.Notes));
        RebuildResult result = new LakeRebuilder(device, plan, Options).Run();
        Assert.That(result.DamagedBlocks, Is.Zero);
        using LakeEngine engine = Lake.Open(device);
        CheckReport report = Lake.CheckData(engine, device);
        Assert.That(report.Findings, Is.Empty);
        Assert.That(Lake.DumpFiles(engine), Is.EqualTo(files));
        return result;
    }

    private static void Zero(IBlockDevice device, ulong block, ulong blocks) =>
        device.Write(new byte[blocks * LakeFormat.BlockSize], (long)(block * LakeFormat.BlockSize));
}
