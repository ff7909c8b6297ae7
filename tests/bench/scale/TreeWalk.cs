// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;

namespace DeepLake.Scale;

/// <summary>What `find -ls` makes the kernel ask: a directory whole, then its inodes, many with each request.</summary>
internal sealed class TreeWalk(ServedLake lake)
{
    private const byte DirectoryType = 4;

    private readonly Stack<ulong> _directories = new([LakeFormat.RootIno]);
    private readonly ulong[] _inos = new ulong[LakeRing.InodesMax];
    private int _count;

    public long Inodes { get; private set; }

    public void Run()
    {
        while (_directories.TryPop(out ulong dir))
        {
            Read(dir);
        }
    }

    private void Read(ulong dir)
    {
        var found = new List<ulong>();
        ulong cookie = 0;
        bool more = true;
        while (more)
        {
            for (ReadOnlySpan<byte> rest = lake.Entries(dir, ref cookie, out more); !rest.IsEmpty;)
            {
                ReplyDirent entry = MemoryMarshal.Read<ReplyDirent>(rest);
                found.Add(entry.Ino);
                if (entry.Type == DirectoryType)
                {
                    _directories.Push(entry.Ino);
                }

                rest = rest[entry.Len..];
            }
        }

        foreach (ulong ino in found)
        {
            _inos[_count++] = ino;
            if (_count == _inos.Length)
            {
                Ask();
            }
        }

        Ask();
    }

    // A reply has room for so much only: what it leaves out is asked for again.
    private void Ask()
    {
        for (int from = 0; from < _count;)
        {
            int came = lake.Inodes(_inos.AsSpan(from, _count - from));
            from += came;
            Inodes += came;
        }

        _count = 0;
    }
}
