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
