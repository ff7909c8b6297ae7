// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Storage;

namespace DeepLake.Engine.Bench;

/// <summary>One lake and the phases run on it.</summary>
internal sealed class BenchLake : IDisposable
{
    private const int Files = 20_000;
    private const int LargeDirectory = 100_000;
    private const ulong FirstIno = 100;
    private const uint Regular = 0x81a4;
    private const uint Directory = 0x41ed;
    private readonly byte[] _payload = new byte[131072 - 64];
    private readonly LakeEngine _engine;
    private readonly Workload _work = new();

    public BenchLake(MemoryBlockDevice device)
    {
        _engine = LakeEngine.Open(device, new DeviceCommitSink(device), new EngineOptions());
    }

    public void Dispose() => _engine.Dispose();

    public void Run()
    {
        Files20K();
        Trees();
        LargeDirectories();
    }

    private void Files20K()
    {
        _work.Create(1, 20, Directory, "dir");
        Phase("", 1);
        for (int i = 0; i < Files; i++)
        {
            _work.Create(20, FirstIno + (ulong)i, Regular, $"file{i:D6}");
        }

        Phase("create", Files);
        for (int i = 0; i < Files; i++)
        {
            _work.Touch(FirstIno + (ulong)((i * 7919L) % Files));
        }

        Phase("setattr, random", Files);
        Checkpoints();
        Lookups();
        Inodes();
        for (int i = 0; i < Files; i++)
        {
            _work.Rename(20, FirstIno + (ulong)i, $"file{i:D6}", $"name{i:D6}");
        }

        Phase("rename", Files);
        ulong block = _engine.Superblock.Data.StartBlock;
        for (int i = 0; i < Files; i++)
        {
            _work.Map(FirstIno + (ulong)i, block + (ulong)i);
        }

        Phase("map of one block", Files);
        for (int i = 0; i < Files; i++)
        {
            _work.Unlink(20, FirstIno + (ulong)i, $"name{i:D6}");
        }

        Phase("unlink + release", Files);
    }

    // what a request may have to wait for: a checkpoint at once, or its longest slice
    private void Checkpoints()
    {
        TouchAll();
        Meter.Longest("checkpoint at once", () =>
        {
            _engine.Checkpoint();
            return false;
        });
        TouchAll();
        bool more = true;
        Meter.Longest("checkpoint, longest slice", () =>
        {
            if (!more)
            {
                _engine.Checkpoint();
                return false;
            }

            more = _engine.PrepareCheckpoint();
            return true;
        });
    }

    // commits, but no checkpoint
    private void TouchAll()
    {
        _engine.Checkpoint();
        for (int i = 0; i < Files; i++)
        {
            _work.Touch(FirstIno + (ulong)i);
        }

        foreach (byte[] entry in _work.Take())
        {
            _engine.Apply(entry);
        }

        _engine.Commit();
    }

    // like untar and rm -rf: 16 files a directory
    private void Trees()
    {
        ulong ino = 1_000_000;
        for (int d = 0; d < Files / 16; d++, ino += 17)
        {
            _work.Create(1, ino, Directory, $"dir{d:D6}");
            for (ulong f = 1; f <= 16; f++)
            {
                _work.Create(ino, ino + f, Regular, $"some-file{f}");
            }
        }

        Phase("create, many directories", Files / 16 * 17);
        ino = 1_000_000;
        for (int d = 0; d < Files / 16; d++, ino += 17)
        {
            for (ulong f = 1; f <= 16; f++)
            {
                _work.Unlink(ino, ino + f, $"some-file{f}");
            }

            _work.Unlink(1, ino, $"dir{d:D6}");
        }

        Phase("rm -rf", Files / 16 * 17);
    }

    private void LargeDirectories()
    {
        _work.Create(1, 21, Directory, "large");
        for (int i = 0; i < LargeDirectory; i++)
        {
            _work.Create(21, 2_000_000 + (ulong)i, Regular, $"file{i:D6}");
        }

        Phase("create, 100 k", LargeDirectory);
        Meter.Run("readdir, 100 k", LargeDirectory, ReadLarge);
        Meter.Run("checkpoint", 1, _engine.Checkpoint);
    }

    private void Phase(string name, int operations)
    {
        byte[][] entries = _work.Take();
        if (name.Length == 0)
        {
            Apply(entries);
            return;
        }

        Meter.Run(name, operations, () => Apply(entries));
    }

    // as the ring loop does: commit at half a frame, checkpoint when due
    private void Apply(byte[][] entries)
    {
        foreach (byte[] entry in entries)
        {
            _engine.Apply(entry);
            if (_engine.UncommittedBytes >= LakeFormat.WalFrameMax / 2)
            {
                _engine.Commit();
                if (_engine.CheckpointDue)
                {
                    _engine.Checkpoint();
                }
            }
        }

        _engine.Commit();
    }

    private void Lookups()
    {
        byte[][] requests = new byte[Files][];
        for (int i = 0; i < Files; i++)
        {
            byte[] name = System.Text.Encoding.ASCII.GetBytes($"file{(i * 7919L) % Files:D6}");
            byte[] request = new byte[Unsafe.SizeOf<RequestName>() + name.Length];
            MemoryMarshal.Write(request, new RequestName
            {
                Header = new RequestHeader { Len = (uint)request.Length, Op = RequestOp.Lookup },
                Ino = 20,
                NameBytes = (ushort)name.Length,
            });
            name.CopyTo(request, Unsafe.SizeOf<RequestName>());
            requests[i] = request;
        }

        Meter.Run("lookup, random", Files, () => Ask(requests));
    }

    private void Inodes()
    {
        const int batch = 256;
        byte[][] requests = new byte[Files / batch][];
        for (int i = 0; i < requests.Length; i++)
        {
            byte[] request = new byte[Unsafe.SizeOf<RequestInodes>() + (batch * 8)];
            MemoryMarshal.Write(request, new RequestInodes
            {
                Header = new RequestHeader { Len = (uint)request.Length, Op = RequestOp.Inodes },
                Count = batch,
                MaxExtents = 2,
            });
            Span<ulong> inos = MemoryMarshal.Cast<byte, ulong>(request.AsSpan(Unsafe.SizeOf<RequestInodes>()));
            for (int n = 0; n < batch; n++)
            {
                inos[n] = FirstIno + (ulong)((i * batch) + n);
            }

            requests[i] = request;
        }

        Meter.Run("inodes, batches of 256", requests.Length * batch, () => Ask(requests));
    }

    private void Ask(byte[][] requests)
    {
        foreach (byte[] request in requests)
        {
            if (_engine.HandleRequest(request, _payload, out _) <= 0)
            {
                throw new InvalidOperationException("a request was not answered");
            }
        }
    }

    private void ReadLarge()
    {
        var request = new RequestReaddir
        {
            Header = new RequestHeader { Len = 48, Op = RequestOp.Readdir },
            Ino = 21,
            MaxBytes = (uint)_payload.Length,
        };
        uint flags;
        do
        {
            int bytes = _engine.HandleRequest(MemoryMarshal.AsBytes(new ReadOnlySpan<RequestReaddir>(in request)), _payload, out flags);
            for (int at = 0; at < bytes; at += MemoryMarshal.Read<ReplyDirent>(_payload.AsSpan(at)).Len)
            {
                request.Cookie = MemoryMarshal.Read<ReplyDirent>(_payload.AsSpan(at)).Cookie;
            }
        }
        while ((flags & LakeRing.ReplyMore) != 0);
    }
}
