// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
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

    private protected void Apply<T>(T intent, IntentOp op, params byte[][] parts)
        where T : unmanaged
        => Engine.Apply(IntentWriter.Encode(intent, op, Engine.AppliedSeq + 1, parts));

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
