// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Platform;
using DeepLake.Sim;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>
/// One block that the device cannot read, anywhere: what is there twice, or is not needed, keeps nobody from the lake;
/// else it is refused. Regression: a block within the first part of the log, or one of a superblock, was enough.
/// </summary>
[TestFixture]
public sealed class UnreadableTests
{
    private const long DeviceBytes = 96L << 20;
    private const int BlockBytes = LakeFormat.BlockSize;
    private const int Pieces = 6;

    private static readonly EngineOptions Offline = Lake.Options with { EndsUnreadLog = true };

    public enum Part
    {
        SuperblockA,
        SuperblockB,
        NewestTicket,
        OlderTicket,
        UnusedLog,
        Indexes,
    }

    [Test]
    public void WhatIsThereTwice_OrNotNeeded_KeepsNobodyFromTheLake_AndIsWrittenAnew([Values] Part part, [Values] bool endsCleanly)
    {
        using var memory = new MemoryBlockDevice(DeviceBytes);
        Superblock newest = Make(memory, 300, endsCleanly);
        string expected = Dump(memory, Lake.Options);
        var bad = new BadBlocksDevice(memory);
        bad.Bad.UnionWith(BlocksOf(memory, newest, part));
        int bads = bad.Bad.Count;
        Assert.That(bads, Is.Positive);
        var device = new SalvagingDevice(bad);
        using (LakeEngine engine = LakeEngine.Open(device, new DeviceCommitSink(device), Lake.Options))
        {
            Assert.That(Lake.DumpFiles(engine), Is.EqualTo(expected));
            Assert.That(engine.LogLoss, Is.Null);
            Assert.That(engine.IndexWasDamaged, Is.EqualTo(part == Part.Indexes));
            engine.MakeWhole(false);
        }

        // (of an index slot only what is used is written)
        var again = new SalvagingDevice(bad);
        using (LakeEngine engine = LakeEngine.Open(again, new DeviceCommitSink(again), Lake.Options))
        {
            Assert.That(engine.IndexWasDamaged, Is.False);
        }

        Assert.That(again.Unreadable, Is.Empty);
        Assert.That(bad.Bad, part == Part.Indexes ? Has.Count.LessThan(bads) : Is.Empty, "it was written anew");
        Assert.That(Dump(memory, Lake.Options), Is.EqualTo(expected));
    }

    /// <summary>A transient error must not cost what is there: only a person gives it up.</summary>
    [TestCase(0, "may be lost", false)]
    [TestCase(1, "cannot be read from the device", false)]
    [TestCase(3, "may be lost", true)]
    public void WhereTheLogEnds_ItIsNotOpened_UntilARepairDoesWithout(int blockOfFrame, string told, bool isBehind)
    {
        using var memory = new MemoryBlockDevice(DeviceBytes);
        Make(memory, 300, endsCleanly: false);
        string before = Dump(memory, Lake.Options);
        ulong block = WriteFrameOfThreeBlocks(memory);
        string expected = Dump(memory, Lake.Options);
        Assert.That(before, Is.Not.EqualTo(expected));
        var bad = new BadBlocksDevice(memory) { Bad = { block + (ulong)blockOfFrame } };
        var device = new SalvagingDevice(bad);
        LakeFormatException refusal = Assert.Throws<LakeFormatException>(() => Dump(device, Lake.Options))!;
        Assert.That(refusal.Errno, Is.EqualTo(Errno.EIO));
        Assert.That(refusal.Message, Does.Contain("cannot read the log where it goes on").And.Contain("nothing was changed"));
        Assert.That(bad.Bad, Has.Count.EqualTo(1));

        bad.Bad.Clear();
        Assert.That(Dump(new SalvagingDevice(bad), Lake.Options), Is.EqualTo(expected), "another time it is read");
        bad.Bad.Add(block + (ulong)blockOfFrame);
        using (LakeEngine engine = LakeEngine.Open(device, new DeviceCommitSink(device), Offline))
        {
            Assert.That(engine.LogLoss, Does.Contain(told));
            Assert.That(Lake.DumpFiles(engine), Is.EqualTo(isBehind ? expected : before));
            engine.MakeWhole(false);
        }

        Assert.That(bad.Bad, Is.Empty);
        using LakeEngine whole = Lake.Open(memory);
        Assert.That(whole.LogLoss, Is.Null);
    }

    /// <summary>All of the metadata, block by block: the same state, or a refusal that changes nothing; never another state.</summary>
    [Test]
    public void AnyBlockOfTheMetadata_GivesTheSameState_OrIsRefused([Values] bool endsCleanly, [Range(0, Pieces - 1)] int piece)
    {
        using var memory = new MemoryBlockDevice(DeviceBytes);
        Superblock newest = Make(memory, 400, endsCleanly);
        string expected = Dump(memory, Lake.Options);
        ulong[] blocks = [.. Used(memory, newest).Where((_, i) => i % Pieces == piece)];
        int refused = 0;
        foreach (ulong block in blocks)
        {
            var bad = new BadBlocksDevice(memory) { Bad = { block } };
            var device = new ReadOnlyOverlayDevice(new SalvagingDevice(bad));
            try
            {
                Assert.That(Dump(device, Lake.Options), Is.EqualTo(expected), $"block {block}");
            }
            catch (Exception failure) when (failure is LakeFormatException or StorageException or Metadata.MetadataCorruptException)
            {
                refused++;
            }
        }

        Assert.That(refused, Is.InRange(1, blocks.Length - 5), $"of {blocks.Length}");
    }

    [Test]
    public void ADeviceThatHasLostTooMuch_IsNotReadToItsEnd()
    {
        using var memory = new MemoryBlockDevice(128L << 20);
        var bad = new BadBlocksDevice(memory);
        for (ulong block = 0; block <= SalvagingDevice.BlocksMost; block++)
        {
            bad.Bad.Add(block + 10);
        }

        var device = new SalvagingDevice(bad);
        byte[] all = new byte[memory.LengthBytes];
        StorageException failure = Assert.Throws<StorageException>(() => device.Read(all, 0))!;
        Assert.That(failure.Errno, Is.EqualTo(Errno.EIO));
        Assert.That(failure.Message, Does.Contain($"more than {SalvagingDevice.BlocksMost} blocks"));
    }

    [Test]
    public void AroundABlock_EverythingElseIsRead()
    {
        using var memory = new MemoryBlockDevice(1L << 20);
        byte[] all = new byte[memory.LengthBytes];
        new Random(1).NextBytes(all);
        memory.Write(all, 0);
        var bad = new BadBlocksDevice(memory) { Bad = { 3, 7 } };
        var device = new SalvagingDevice(bad);
        byte[] read = new byte[40_000];
        device.Read(read, 1000);
        for (int i = 0; i < read.Length; i++)
        {
            int at = i + 1000;
            byte wanted = at / BlockBytes is 3 or 7 ? (byte)0 : all[at];
            Assert.That(read[i], Is.EqualTo(wanted), $"byte {at}");
        }

        Assert.That(device.Unreadable, Is.EqualTo(new long[] { 3 * BlockBytes, 7 * BlockBytes }));
        Assert.That(device.IsUnreadable((4 * BlockBytes) - 1, 1), Is.True);
        Assert.That(device.IsUnreadable(4 * BlockBytes, 3 * BlockBytes), Is.False);
        device.Write(new byte[BlockBytes], 3 * BlockBytes);
        Assert.That(device.Unreadable, Is.EqualTo(new long[] { 7 * BlockBytes }));
    }

    private static Superblock Make(MemoryBlockDevice memory, int steps, bool endsCleanly)
    {
        Lake.Format(memory);
        var kernel = new SimKernel(5);
        using LakeEngine engine = Lake.Open(memory);
        Lake.Mount(engine);
        for (int step = 0; step < steps; step++)
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

        return engine.Superblock;
    }

    // Returns where it begins.
    private static ulong WriteFrameOfThreeBlocks(MemoryBlockDevice memory)
    {
        using LakeEngine engine = Lake.Open(memory);
        HashSet<ulong> before = [.. Frames(memory, engine.Superblock.Wal)];
        while (engine.UncommittedBytes < 3 * BlockBytes)
        {
            var intent = new IntentXattr { Ino = 1, Action = XattrAction.Set, NameBytes = 6, ValueBytes = 64 };
            engine.Apply(IntentWriter.Encode(intent, IntentOp.Xattr, engine.AppliedSeq + 1, [.. IntentWriter.Name("user.a"), .. new byte[64]]));
        }

        engine.Commit();
        return Frames(memory, engine.Superblock.Wal).Single(frame => !before.Contains(frame));
    }

    private static IEnumerable<ulong> BlocksOf(MemoryBlockDevice memory, Superblock newest, Part part) => part switch
    {
        Part.SuperblockA => [LakeFormat.SuperblockABlock],
        Part.SuperblockB => [newest.DeviceBlocks - 1],
        Part.NewestTicket => [newest.Ticket[(int)(newest.Generation & 1)].StartBlock],
        Part.OlderTicket => [newest.Ticket[(int)(~newest.Generation & 1)].StartBlock],
        Part.UnusedLog => Behind(memory, newest.Wal),
        _ => [newest.Index[0].StartBlock, newest.Index[1].StartBlock],
    };

    // Near the log's end, but not where the next frame goes.
    private static IEnumerable<ulong> Behind(MemoryBlockDevice memory, Region log)
    {
        ulong last = Frames(memory, log).Max();
        byte[] block = new byte[BlockBytes];
        memory.Read(block, (long)last * BlockBytes);
        ulong end = last + (ulong)(WalFormat.FrameBytes((int)MemoryMarshal.Read<WalFrame>(block).PayloadBytes) / BlockBytes);
        return [end + 1, end + 7, end + 100];
    }

    private static IEnumerable<ulong> Frames(MemoryBlockDevice memory, Region log)
    {
        byte[] block = new byte[BlockBytes];
        for (ulong at = log.StartBlock; at < log.StartBlock + log.Blocks; at++)
        {
            memory.Read(block, (long)at * BlockBytes);
            if (MemoryMarshal.Read<WalFrame>(block).Magic == LakeFormat.WalMagic)
            {
                yield return at;
            }
        }
    }

    // What is not empty of everything before the data, and a block behind each.
    private static IEnumerable<ulong> Used(MemoryBlockDevice memory, Superblock newest)
    {
        byte[] block = new byte[BlockBytes];
        bool wasUsed = false;
        for (ulong at = 1; at < newest.Sums.StartBlock; at++)
        {
            memory.Read(block, (long)at * BlockBytes);
            bool isUsed = block.AsSpan(0, 500).IndexOfAnyExcept((byte)0) >= 0;
            if (isUsed || wasUsed)
            {
                yield return at;
            }

            wasUsed = isUsed;
        }

        yield return newest.DeviceBlocks - 1;
    }

    private static string Dump(IBlockDevice device, EngineOptions options)
    {
        using LakeEngine engine = LakeEngine.Open(device, new DeviceCommitSink(device), options);
        return Lake.DumpFiles(engine);
    }
}
