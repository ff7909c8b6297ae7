// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Platform;
using DeepLake.Sim;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>
/// A mounted lake of 128 MiB in memory for each test, with the empty regular files 20 to 23, and short ways
/// to change it by intents and to look at it.
/// </summary>
/// <param name="areNamed">The files have their numbers as names in the root; else they are as an open file without one.</param>
public abstract class LakeFixture(bool areNamed)
{
    private protected const int Block = LakeFormat.BlockSize;

    private protected MemoryBlockDevice Device { get; private set; } = null!;

    private protected LakeEngine Engine { get; set; } = null!;

    /// <summary>The first block for data.</summary>
    private protected ulong Data { get; private set; }

    [SetUp]
    public void OpenLake()
    {
        Device = new MemoryBlockDevice(128L << 20);
        Lake.Format(Device);
        Engine = Lake.Open(Device);
        Lake.Mount(Engine);
        Data = Engine.Superblock.Data.StartBlock;
        for (ulong ino = 20; ino < 24; ino++)
        {
            if (areNamed)
            {
                Apply(new IntentCreate { Dir = 1, Ino = ino, Mode = 0x8180, Generation = 7, NameBytes = 2 }, IntentOp.Create, IntentWriter.Name($"{ino}"));
            }
            else
            {
                Apply(new IntentCreate { Ino = ino, Mode = 0x8180 }, IntentOp.Create);
            }
        }
    }

    [TearDown]
    public void CloseLake()
    {
        Engine.Dispose();
        Device.Dispose();
    }

    private protected virtual void Apply<T>(T intent, IntentOp op, params byte[][] parts)
        where T : unmanaged
        => Engine.Apply(IntentWriter.Encode(intent, op, Engine.AppliedSeq + 1, parts));

    /// <summary>Maps new blocks of a file, with random data on the device and its checksums.</summary>
    /// <param name="ino">The file.</param>
    /// <param name="fileBlock">Its first block that is written.</param>
    /// <param name="phys">The first of the device's blocks.</param>
    /// <param name="blocks">How many.</param>
    /// <param name="seed">Equal ones give equal data; the block of the device when left out.</param>
    /// <param name="grows">The file is at least as long then.</param>
    /// <returns>The file's content up to the end of what was written; what is before it is zero here.</returns>
    private protected byte[] Write(ulong ino, ulong fileBlock, ulong phys, int blocks, int? seed = null, bool grows = true)
    {
        byte[] content = new byte[((int)fileBlock + blocks) * Block];
        Span<byte> bytes = content.AsSpan((int)fileBlock * Block);
        new Random(seed ?? (int)phys).NextBytes(bytes);
        Device.Write(bytes, (long)phys * Block);
        for (int done = 0; done < blocks; done += (int)LakeRing.MapBlocksMax)
        {
            uint[] crcs = new uint[Math.Min((int)LakeRing.MapBlocksMax, blocks - done)];
            for (int i = 0; i < crcs.Length; i++)
            {
                crcs[i] = Crc32C.Compute(bytes.Slice((done + i) * Block, Block));
            }

            Apply(
                new IntentMap
                {
                    Ino = ino,
                    FileBlock = fileBlock + (ulong)done,
                    PhysBlock = phys + (ulong)done,
                    Blocks = (uint)crcs.Length,
                    Flags = ExtentFlags.Crc,
                    Size = grows ? (fileBlock + (ulong)blocks) * Block : 0,
                },
                IntentOp.Map,
                MemoryMarshal.AsBytes<uint>(crcs).ToArray());
        }

        return content;
    }

    /// <summary>Says that a range was written in place.</summary>
    private protected void Overwritten(ulong ino, ulong fileBlock, ulong blocks)
    {
        var range = new BlockRange { Start = fileBlock, Count = blocks };
        Apply(new IntentOverwrite { Ino = ino, Count = 1 }, IntentOp.Overwrite, MemoryMarshal.AsBytes(new ReadOnlySpan<BlockRange>(in range)).ToArray());
    }

    /// <summary>Damages the device's byte at an offset.</summary>
    private protected void FlipBit(long offset)
    {
        byte[] one = new byte[1];
        Device.Read(one, offset);
        one[0] ^= 4;
        Device.Write(one, offset);
    }

    private protected void Seal(IntentOp op, ulong ino, ulong fileBlock, ulong blocks) =>
        Apply(new IntentSeal { Ino = ino, FileBlock = fileBlock, Blocks = blocks }, op);

    private protected InodeRecord Inode(ulong ino)
    {
        var request = new RequestIno { Header = new RequestHeader { Len = 32, Op = RequestOp.Inode }, Ino = ino };
        byte[] payload = new byte[1024];
        Engine.HandleRequest(MemoryMarshal.AsBytes(new ReadOnlySpan<RequestIno>(in request)), payload, out _);
        return MemoryMarshal.Read<InodeRecord>(payload);
    }

    /// <summary>The engine's counters, to be compared byte by byte.</summary>
    private protected byte[] Counters()
    {
        EngineState counters = Engine.CountersForCheck();
        return MemoryMarshal.AsBytes(new ReadOnlySpan<EngineState>(in counters)).ToArray();
    }

    private protected void AssertClean() => Assert.That(Lake.Check(Engine).Findings, Is.Empty);
}
