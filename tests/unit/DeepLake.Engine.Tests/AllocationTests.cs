// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Sim;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>The ring path makes no garbage: no pause of the collector may come between a program and its reply.</summary>
[TestFixture]
public sealed class AllocationTests
{
    private const int Files = 500;
    private const int Rounds = 4;
    private readonly List<byte[]> _entries = [];
    private readonly byte[] _payload = new byte[LakeRing.ReplyMax - 64];
    private MemoryBlockDevice _device = null!;
    private LakeEngine _engine = null!;

    [SetUp]
    public void Open()
    {
        _device = new MemoryBlockDevice(128L << 20);
        for (long at = 0; at < _device.LengthBytes; at += 1 << 20)
        {
            _device.Write(new byte[1 << 20], at); // the test device's own memory
        }

        Lake.Format(_device);
        _engine = Lake.Open(_device);
        _entries.Clear();
    }

    [TearDown]
    public void Close()
    {
        _engine.Dispose();
        _device.Dispose();
    }

    [Test]
    public void IntentsRequestsAndCommits_AllocateNothing()
    {
        for (int round = 0; round < Rounds; round++)
        {
            AddRound();
        }

        byte[][] entries = [.. _entries];
        byte[][] requests = Requests();
        int perRound = entries.Length / Rounds;
        for (int round = 0; round < Rounds; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            ApplyRound(entries.AsSpan(round * perRound, perRound), requests);
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (round == Rounds - 1)
            {
                Assert.That(allocated, Is.Zero);
            }
        }
    }

    private void ApplyRound(ReadOnlySpan<byte[]> entries, byte[][] requests)
    {
        for (int i = 0; i < entries.Length; i++)
        {
            _engine.Apply(entries[i]);
            if (i == 4 * Files)
            {
                foreach (byte[] request in requests)
                {
                    _engine.HandleRequest(request, _payload, out _);
                }

                _engine.Commit();
            }
        }

        _engine.Commit();
    }

    // creates, maps, attributes, renames; then unlinks and releases of everything
    private void AddRound()
    {
        ulong data = _engine.Superblock.Data.StartBlock;
        for (ulong i = 0; i < Files; i++)
        {
            Add(new IntentCreate { Dir = 1, Ino = 100 + i, Mode = 0x81a4, NameBytes = 8 }, IntentOp.Create, Name('f', i));
            Add(new IntentMap { Ino = 100 + i, PhysBlock = data + i, Blocks = 1, Size = 4096 }, IntentOp.Map);
            Add(new IntentSetattr { Ino = 100 + i, Valid = AttrMask.Mode, Mode = 0x1ff }, IntentOp.Setattr);
            var rename = new IntentRename { SrcDir = 1, DstDir = 1, Ino = 100 + i, SrcBytes = 8, DstBytes = 8 };
            Add(rename, IntentOp.Rename, Name('f', i), Name('n', i));
        }

        for (ulong i = 0; i < Files; i++)
        {
            Add(new IntentUnlink { Dir = 1, Ino = 100 + i, NameBytes = 8 }, IntentOp.Unlink, Name('n', i));
            Add(new IntentRelease { Ino = 100 + i }, IntentOp.Release);
        }
    }

    private static byte[] Name(char first, ulong number) => IntentWriter.Name($"{first}{number:D7}");

    private void Add<T>(T intent, IntentOp op, params byte[][] parts)
        where T : unmanaged => _entries.Add(IntentWriter.Encode(intent, op, (ulong)_entries.Count + 1, parts));

    private static byte[][] Requests()
    {
        byte[] inodes = new byte[Unsafe.SizeOf<RequestInodes>() + (200 * 8)];
        MemoryMarshal.Write(inodes, new RequestInodes { Header = Header(RequestOp.Inodes), Count = 200, MaxExtents = 4 });
        for (int i = 0; i < 200; i++)
        {
            MemoryMarshal.Write(inodes.AsSpan(Unsafe.SizeOf<RequestInodes>() + (i * 8)), (ulong)(100 + i));
        }

        byte[] lookup = new byte[Unsafe.SizeOf<RequestName>() + 8];
        MemoryMarshal.Write(lookup, new RequestName { Header = Header(RequestOp.Lookup), Ino = 1, NameBytes = 8 });
        Name('n', 7).CopyTo(lookup, Unsafe.SizeOf<RequestName>());
        return
        [
            inodes,
            lookup,
            Bytes(new RequestReaddir { Header = Header(RequestOp.Readdir), Ino = 1, MaxBytes = LakeRing.ReplyMax }),
            Bytes(new RequestIno { Header = Header(RequestOp.Inode), Ino = 100 }),
            Bytes(new RequestExtents { Header = Header(RequestOp.Extents), Ino = 100, MaxExtents = 10 }),
            Bytes(Header(RequestOp.Statfs)),
        ];
    }

    private static RequestHeader Header(RequestOp op) => new() { Op = op };

    private static byte[] Bytes<T>(T request)
        where T : unmanaged => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in request)).ToArray();
}
