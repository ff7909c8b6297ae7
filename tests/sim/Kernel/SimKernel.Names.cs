// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine;
using DeepLake.Platform;

namespace DeepLake.Sim;

/// <summary>Names, attributes and xattrs.</summary>
internal sealed partial class SimKernel
{
    private const uint Directory = 0x41ed;
    private const uint Regular = 0x81a4;
    private const uint Symlink = 0xa1ff;
    private const uint WhiteoutMode = 0x2000;

    private void Create(LakeEngine engine, bool directory)
    {
        if (IsFull || !TryTakeIno(engine, out ulong ino))
        {
            return;
        }

        ModelInode dir = Pick(_directories);
        bool symlink = !directory && _random.Next(5) == 0;
        byte[] target = symlink ? new byte[_random.Next(1, 2000)] : [];
        Array.Fill(target, (byte)'t');
        byte[] value = new byte[_random.Next(3000)];
        _random.NextBytes(value);
        byte[] xattr = _random.Next(6) == 0 ? IntentWriter.Xattr("user.first", value) : [];
        string name = NewName();
        var intent = new IntentCreate
        {
            Dir = dir.Ino,
            Ino = ino,
            Mode = directory ? Directory : symlink ? Symlink : Regular,
            Uid = 1000,
            Gid = (uint)_random.Next(3),
            Generation = (uint)_random.Next(),
            Time = Now,
            NameBytes = (ushort)name.Length,
            LinkBytes = (ushort)target.Length,
            XattrBytes = (uint)((xattr.Length + 7) & ~7),
        };
        Record(intent, IntentOp.Create, IntentWriter.Name(name), target, xattr);
        (directory ? _directories : _others).Add(ino);
    }

    private void CreateTemporary(LakeEngine engine)
    {
        if (!IsFull && TryTakeIno(engine, out ulong ino))
        {
            Record(new IntentCreate { Ino = ino, Mode = Regular, Time = Now }, IntentOp.Create);
            _others.Add(ino);
        }
    }

    private void Link()
    {
        if (_others.Count == 0 || IsFull)
        {
            return;
        }

        ModelInode inode = Pick(_others);
        if (inode.IsDirectory)
        {
            return;
        }

        string name = NewName();
        var intent = new IntentLink { Dir = Pick(_directories).Ino, Ino = inode.Ino, Time = Now, NameBytes = (ushort)name.Length };
        Record(intent, IntentOp.Link, IntentWriter.Name(name));
    }

    private void Unlink()
    {
        ModelInode dir = Pick(_directories);
        if (dir.Entries.Count == 0)
        {
            return;
        }

        (string name, ModelEntry entry) = dir.Entries.ElementAt(_random.Next(dir.Entries.Count));
        ModelInode inode = _tree.Inodes[entry.Ino];
        if (inode.Entries.Count > 0)
        {
            return;
        }

        var intent = new IntentUnlink { Dir = dir.Ino, Ino = inode.Ino, Time = Now, NameBytes = (ushort)name.Length };
        Record(intent, IntentOp.Unlink, IntentWriter.Name(name));
        Unlinked(inode);
    }

    private void Unlinked(ModelInode inode)
    {
        if (inode.IsDirectory)
        {
            _directories.Remove(inode.Ino);
            _others.Add(inode.Ino);
        }
    }

    private void Rename(LakeEngine engine)
    {
        ModelInode from = Pick(_directories);
        ModelInode to = Pick(_directories);
        if (from.Entries.Count == 0)
        {
            return;
        }

        (string source, ModelEntry entry) = from.Entries.ElementAt(_random.Next(from.Entries.Count));
        ModelInode inode = _tree.Inodes[entry.Ino];
        bool replace = to.Entries.Count > 0 && _random.Next(2) == 0;
        string target = replace ? to.Entries.Keys.ElementAt(_random.Next(to.Entries.Count)) : NewName();
        ModelInode? victim = replace ? _tree.Inodes[to.Entries[target].Ino] : null;
        uint flags = replace && _random.Next(3) == 0 ? RenameFlags.Exchange
            : !inode.IsDirectory && _random.Next(5) == 0 ? RenameFlags.Whiteout : 0;
        bool exchange = flags == RenameFlags.Exchange;
        if (victim == inode || IsBelow(to, inode) || (exchange && IsBelow(from, victim!)) || (IsFull && victim is null)
            || (victim is not null && !exchange && (victim.IsDirectory != inode.IsDirectory || victim.Entries.Count > 0)))
        {
            return;
        }

        ulong whiteout = 0;
        if (flags == RenameFlags.Whiteout && (IsFull || !TryTakeIno(engine, out whiteout)))
        {
            return;
        }

        var intent = new IntentRename
        {
            SrcDir = from.Ino,
            DstDir = to.Ino,
            Ino = inode.Ino,
            TargetIno = victim?.Ino ?? 0,
            Flags = flags,
            WhiteoutIno = whiteout,
            WhiteoutMode = whiteout == 0 ? 0 : WhiteoutMode,
            SrcBytes = (ushort)source.Length,
            DstBytes = (ushort)target.Length,
            Time = Now,
        };
        Record(intent, IntentOp.Rename, IntentWriter.Name(source), IntentWriter.Name(target));
        if (victim is not null && !exchange)
        {
            Unlinked(victim);
        }

        if (whiteout != 0)
        {
            _others.Add(whiteout);
        }
    }

    private bool IsBelow(ModelInode dir, ModelInode top)
    {
        if (!top.IsDirectory)
        {
            return false;
        }

        for (ulong at = dir.Ino; ; at = _tree.Inodes[at].Parent)
        {
            if (at == top.Ino)
            {
                return true;
            }

            if (at == LakeFormat.RootIno)
            {
                return false;
            }
        }
    }

    private void SetAttributes()
    {
        if (_others.Count == 0)
        {
            return;
        }

        ModelInode inode = _random.Next(4) == 0 ? Pick(_directories) : Pick(_others);
        uint valid = (uint)_random.Next(256) & AttrMask.All & ~AttrMask.Size;
        valid |= inode.IsRegular && _random.Next(2) == 0 ? AttrMask.Size : 0;
        var intent = new IntentSetattr
        {
            Ino = inode.Ino,
            Valid = valid,
            Mode = (uint)_random.Next(0x1000),
            Uid = (uint)_random.Next(5),
            Gid = (uint)_random.Next(5),
            Size = (ulong)_random.Next(200_000),
            Atime = Now,
            Mtime = Now,
            Ctime = Now,
            InodeFlags = (valid & AttrMask.Flags) != 0 ? (uint)_random.Next(2) : 0,
        };
        Record(intent, IntentOp.Setattr);
    }

    private void Xattr()
    {
        if (_others.Count == 0)
        {
            return;
        }

        ModelInode inode = _random.Next(4) == 0 ? Pick(_directories) : Pick(_others);
        string name = $"user.{_random.Next(4)}";
        bool remove = inode.Xattrs.ContainsKey(name) && _random.Next(2) == 0;
        if (IsFull && !remove)
        {
            return;
        }

        byte[] value = new byte[remove ? 0 : _random.Next(_mix.MaxXattrBytes)];
        _random.NextBytes(value);
        var intent = new IntentXattr
        {
            Ino = inode.Ino,
            Ctime = Now,
            Action = remove ? XattrAction.Remove : XattrAction.Set,
            SetMode = (ushort)(_random.Next(4) == 0 ? 1 : 0),
            Mode = (uint)_random.Next(0x1000),
            ValueBytes = (uint)value.Length,
            NameBytes = (ushort)name.Length,
        };
        Record(intent, IntentOp.Xattr, [.. IntentWriter.Name(name), .. value]);
    }

    private void Release()
    {
        ulong orphan = _others.FirstOrDefault(ino => _tree.Inodes[ino].Nlink == 0);
        if (orphan != 0)
        {
            ReleaseOne(orphan);
        }
    }

    /// <summary>The last that a kernel does before it unmounts: nothing is open any more.</summary>
    public void ReleaseAll()
    {
        foreach (ulong orphan in _others.Where(ino => _tree.Inodes[ino].Nlink == 0).ToArray())
        {
            ReleaseOne(orphan);
        }
    }

    private void ReleaseOne(ulong orphan)
    {
        Record(new IntentRelease { Ino = orphan }, IntentOp.Release);
        _others.Remove(orphan);
    }
}
