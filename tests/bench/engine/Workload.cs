// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;

namespace DeepLake.Engine.Bench;

/// <summary>Intents prepared ahead, so that a measured phase holds the engine's work alone.</summary>
internal sealed class Workload
{
    private readonly List<byte[]> _entries = [];
    private ulong _seq;

    /// <summary>Starts the next phase; sequence numbers go on.</summary>
    public byte[][] Take()
    {
        byte[][] taken = [.. _entries];
        _entries.Clear();
        return taken;
    }

    public void Create(ulong dir, ulong ino, uint mode, string name)
    {
        var intent = new IntentCreate { Dir = dir, Ino = ino, Mode = mode, NameBytes = (ushort)name.Length, Time = Now };
        Add(intent, IntentOp.Create, name);
    }

    public void Unlink(ulong dir, ulong ino, string name)
    {
        Add(new IntentUnlink { Dir = dir, Ino = ino, NameBytes = (ushort)name.Length, Time = Now }, IntentOp.Unlink, name);
        Add(new IntentRelease { Ino = ino }, IntentOp.Release);
    }

    public void Rename(ulong dir, ulong ino, string from, string to)
    {
        var intent = new IntentRename
        {
            SrcDir = dir,
            DstDir = dir,
            Ino = ino,
            SrcBytes = (ushort)from.Length,
            DstBytes = (ushort)to.Length,
            Time = Now,
        };
        Add(intent, IntentOp.Rename, from, to);
    }

    public void Map(ulong ino, ulong block)
    {
        byte[] crc = [1, 2, 3, 4, 0, 0, 0, 0];
        var intent = new IntentMap
        {
            Ino = ino,
            PhysBlock = block,
            Blocks = 1,
            Flags = ExtentFlags.Crc,
            Size = 4096,
            Mtime = Now,
            Ctime = Now,
        };
        Add(intent, IntentOp.Map, crc);
    }

    public void Touch(ulong ino) =>
        Add(new IntentSetattr { Ino = ino, Valid = AttrMask.Mtime, Mtime = Now }, IntentOp.Setattr);

    private LakeTime Now => new() { Sec = 1_700_000_000 + (long)_seq, Nsec = (uint)_seq };

    private void Add<T>(T intent, IntentOp op, params string[] names)
        where T : unmanaged => Add(intent, op, [.. names.SelectMany(Pad)]);

    private void Add<T>(T intent, IntentOp op, byte[] tail)
        where T : unmanaged
    {
        byte[] entry = new byte[Unsafe.SizeOf<T>() + tail.Length];
        MemoryMarshal.Write(entry, intent);
        MemoryMarshal.Write(entry, new IntentHeader { Len = (uint)entry.Length, Op = op, Seq = ++_seq });
        tail.CopyTo(entry, Unsafe.SizeOf<T>());
        _entries.Add(entry);
    }

    private static byte[] Pad(string name)
    {
        byte[] padded = new byte[(name.Length + 7) & ~7];
        System.Text.Encoding.ASCII.GetBytes(name, padded);
        return padded;
    }
}
