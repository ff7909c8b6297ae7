// SPDX-License-Identifier: MPL-2.0
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using DeepLake.Abi;
using DeepLake.Client;
using DeepLake.Platform;

namespace DeepLake.Scale;

/// <summary>Changes all over a lake's tree, or in a few places; the same for the same lake.</summary>
internal sealed class Changes
{
    private const uint Look = 4096;
    private const uint BlocksOfALease = 1 << 14;
    private const int FilesOfAFolder = 60;
    private const ulong Few = 1000;

    private static readonly NodeAttributes Folder = new() { Mode = FileType.Directory | 0x1ed };
    private static readonly NodeAttributes Plain = new() { Mode = FileType.Regular | 0x1a4, Uid = 1000, Gid = 1000 };

    private readonly ServedLake _lake;
    private readonly Random _random = new(2);
    private readonly ulong _end;
    private readonly ulong _stamp;
    private BlockRange _lease;
    private ulong _folder;
    private ulong _made;

    public Changes(ServedLake lake)
    {
        _lake = lake;
        _end = lake.Engine.CountersForCheck().NextIno;
        _stamp = lake.Engine.AppliedSeq;
    }

    public void Run(long count)
    {
        for (long i = 0; i < count; i++)
        {
            Change();
        }

        _lake.Engine.Commit();
    }

    public void Lookups(long count)
    {
        for (long i = 0; i < count; i++)
        {
            InodeRecord inode = Pick();
            (byte[] name, InodeRecord found) = PickName(_lake.ParentOf(inode.Ino));
            if (name.Length > 0 && !_lake.Client.TryLookup(_lake.ParentOf(found.Ino), name, out _))
            {
                throw new InvalidOperationException("a name of a directory is not found");
            }
        }
    }

    /// <summary>For ever, until the process is killed.</summary>
    public void Stream(string kind)
    {
        Action change = kind switch
        {
            "touch" => () => Touch(Pick().Ino),
            "few" => () => Touch(LakeFormat.FirstIno + (++_made % Few)),
            "create" => Untar,
            "change" => Change,
            _ => throw new ArgumentException($"no such load: {kind}"),
        };
        while (true)
        {
            change();
        }
    }

    private void Change()
    {
        InodeRecord inode = Pick();
        ulong dir = _lake.ParentOf(inode.Ino);
        switch (_random.Next(10))
        {
            case < 4:
                MapOne(Create(dir, Plain));
                break;
            case < 6:
                Unlink(dir);
                break;
            case < 8:
                Rename(dir);
                break;
            case < 9 when FileType.IsRegular(inode.Mode):
                MapOne(inode.Ino, inode.Size);
                break;
            default:
                Touch(inode.Ino);
                break;
        }
    }

    private void Touch(ulong ino)
    {
        LakeTime now = _lake.Client.Now();
        _lake.Client.SetAttributes(ino, AttrMask.Mtime, Plain with { Mtime = now });
        _lake.Changed();
    }

    private void Untar()
    {
        if (_made % FilesOfAFolder == 0)
        {
            _folder = Create(LakeFormat.RootIno, Folder);
        }

        MapOne(Create(_folder, Plain));
    }

    private ulong Create(ulong dir, NodeAttributes node)
    {
        ulong ino = _lake.Client.Create(dir, NewName(), node, default);
        _lake.Changed();
        return ino;
    }

    private void Unlink(ulong dir)
    {
        (byte[] name, InodeRecord inode) = PickName(dir);
        if (name.Length > 0 && !FileType.IsDirectory(inode.Mode))
        {
            _lake.Client.Unlink(dir, name, inode);
            _lake.Changed();
        }
    }

    private void Rename(ulong dir)
    {
        (byte[] name, InodeRecord inode) = PickName(dir);
        if (name.Length > 0)
        {
            _lake.Client.Rename(dir, name, inode.Ino, dir, NewName(), null);
            _lake.Changed();
        }
    }

    private void MapOne(ulong ino, ulong size = 0)
    {
        if (_lease.Count == 0)
        {
            BlockRange[] leased = _lake.Client.LeaseBlocks(BlocksOfALease, 0);
            _lease = leased.Length == 0 ? throw new InvalidOperationException("the lake is full") : leased[0];
        }

        ulong at = (size + LakeFormat.BlockSize - 1) / LakeFormat.BlockSize;
        _lake.Client.Map(ino, at, _lease.Start, [(uint)ino], (at + 1) * LakeFormat.BlockSize);
        _lake.Changed();
        _lease.Start++;
        _lease.Count--;
    }

    private byte[] NewName() => Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"new-{_stamp}-{_made++}"));

    /// <summary>An inode that was there at the beginning and still is, any but the root.</summary>
    private InodeRecord Pick()
    {
        while (true)
        {
            ulong ino = (ulong)_random.NextInt64((long)LakeFormat.FirstIno, (long)_end);
            if (_lake.Client.TryGetInode(ino, out InodeRecord inode) && inode.Nlink > 0)
            {
                return inode;
            }
        }
    }

    /// <summary>One of a directory's first entries; none when it is empty.</summary>
    private (byte[] Name, InodeRecord Inode) PickName(ulong dir)
    {
        ulong cookie = 0;
        ReadOnlySpan<byte> rest = _lake.Entries(dir, ref cookie, out _, Look);
        byte[] name = [];
        ulong ino = 0;
        for (int seen = 1; !rest.IsEmpty; seen++)
        {
            ReplyDirent entry = MemoryMarshal.Read<ReplyDirent>(rest);
            if (_random.Next(seen) == 0)
            {
                name = rest.Slice(Unsafe.SizeOf<ReplyDirent>(), entry.NameBytes).ToArray();
                ino = entry.Ino;
            }

            rest = rest[entry.Len..];
        }

        return ino == 0 ? (name, default) : (name, _lake.Client.GetInode(ino));
    }
}
