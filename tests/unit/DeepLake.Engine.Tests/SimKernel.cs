// SPDX-License-Identifier: MPL-2.0
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Storage;

namespace DeepLake.Engine.Tests;

/// <summary>
/// A kernel in miniature: makes random valid changes to a tree in its memory, numbers them, keeps every
/// record, and tells an engine. Deterministic by seed.
/// </summary>
internal sealed partial class SimKernel(int seed)
{
    private const uint Directory = 0x41ed;
    private const uint Regular = 0x81a4;
    private readonly Random _random = new(seed);
    private readonly Dictionary<ulong, SimInode> _inodes = new() { [1] = new SimInode(1, Directory) { Links = 2 } };
    private readonly List<ulong> _directories = [1];
    private readonly List<ulong> _others = [];
    private readonly Queue<ulong> _leased = new();
    private ulong _inoNext;
    private ulong _inoEnd;
    private ulong _names;
    private ExceptionDispatchInfo? _failure;

    /// <summary>Every record ever made; index i holds seq i + 1 + FirstSeq.</summary>
    public List<byte[]> Records { get; } = [];

    public ulong LastSeq => (ulong)Records.Count;

    public IEnumerable<ulong> LeasedBlocks => _leased;

    /// <summary>What each regular file maps: file block → (device block, unwritten).</summary>
    public IEnumerable<(ulong Ino, SortedDictionary<ulong, (ulong Phys, uint Flags)> Blocks)> Maps =>
        _inodes.Values.Where(i => i.IsRegular).Select(i => (i.Ino, i.Blocks));

    public (ulong Next, ulong End) LeasedInos => (_inoNext, _inoEnd);

    private LakeTime Now => new() { Sec = 1_700_000_000 + (long)LastSeq, Nsec = (uint)_random.Next(1_000_000_000) };

    /// <summary>One random change, applied to the engine as well.</summary>
    public void Step(LakeEngine engine)
    {
        switch (_random.Next(26))
        {
            case < 5: Create(engine, directory: false); break;
            case 5: Create(engine, directory: true); break;
            case 6: CreateTemporary(engine); break;
            case 7: Link(engine); break;
            case < 10: Unlink(engine); break;
            case < 12: Rename(engine); break;
            case 12: Truncate(engine); break;
            case 13: Xattr(engine); break;
            case < 18: Map(engine); break;
            case 18: Punch(engine); break;
            case > 23: Shift(engine); break;
            case > 19: Clone(engine); break;
            default: Release(engine); break;
        }

        ExceptionDispatchInfo? failure = _failure;
        _failure = null;
        failure?.Throw();
    }

    public void Declare(LakeEngine engine)
    {
        var ranges = _leased.Select(b => new DeclaredRange { Start = b, Count = 1, Kind = DeclaredKind.Blocks }).ToList();
        ranges.Add(new DeclaredRange { Start = _inoNext, Count = _inoEnd - _inoNext, Kind = DeclaredKind.Inos });
        foreach (byte[] record in Records.Skip((int)engine.AppliedSeq))
        {
            if (MemoryMarshal.Read<IntentHeader>(record).Op == IntentOp.Map)
            {
                IntentMap map = MemoryMarshal.Read<IntentMap>(record);
                ranges.Add(new DeclaredRange { Start = map.PhysBlock, Count = map.Blocks, Kind = DeclaredKind.Blocks });
            }
        }

        engine.Declare(ranges.ToArray());
    }

    /// <summary>Sends again what the engine has not got.</summary>
    public void Resend(LakeEngine engine)
    {
        for (int i = (int)engine.AppliedSeq; i < Records.Count; i++)
        {
            engine.Apply(Records[i]);
        }
    }

    private void Emit<T>(LakeEngine engine, T intent, IntentOp op, params byte[][] parts)
        where T : unmanaged
    {
        Records.Add(IntentWriter.Encode(intent, op, LastSeq + 1, parts));
        try
        {
            engine.Apply(Records[^1]);
        }
        catch (StorageException failure)
        {
            // The change is made and recorded whatever becomes of the daemon: the caller's model follows first.
            _failure = ExceptionDispatchInfo.Capture(failure);
        }
    }

    private ulong TakeIno(LakeEngine engine)
    {
        if (_inoNext == _inoEnd)
        {
            BlockRange range = Lease(engine, RequestOp.LeaseInos, 64)[0];
            _inoNext = range.Start;
            _inoEnd = range.Start + range.Count;
        }

        return _inoNext++;
    }

    private bool TryTakeBlocks(LakeEngine engine, int count, out ulong start)
    {
        start = 0;
        if (_leased.Count < count)
        {
            foreach (BlockRange range in Lease(engine, RequestOp.LeaseBlocks, 200))
            {
                for (ulong i = 0; i < range.Count; i++)
                {
                    _leased.Enqueue(range.Start + i);
                }
            }
        }

        // a contiguous run from the front of the lease
        ulong[] run = [.. _leased.Take(count)];
        if (run.Length < count || run[^1] - run[0] != (ulong)count - 1)
        {
            _leased.TryDequeue(out _);
            return false;
        }

        start = run[0];
        for (int i = 0; i < count; i++)
        {
            _leased.Dequeue();
        }

        return true;
    }

    private static BlockRange[] Lease(LakeEngine engine, RequestOp op, ulong want)
    {
        var request = new RequestLease { Header = new RequestHeader { Len = 40, Op = op }, Want = want };
        byte[] payload = new byte[4096];
        int bytes = engine.HandleRequest(MemoryMarshal.AsBytes(new ReadOnlySpan<RequestLease>(in request)), payload, out _);
        return bytes <= 0 ? [] : MemoryMarshal.Cast<byte, BlockRange>(payload.AsSpan(0, bytes)).ToArray();
    }

    private SimInode Pick(List<ulong> from) => _inodes[from[_random.Next(from.Count)]];

    private string NewName() => $"{new string('n', _random.Next(1, 60))}{_names++}";

    private void Create(LakeEngine engine, bool directory)
    {
        SimInode dir = Pick(_directories);
        bool symlink = !directory && _random.Next(5) == 0;
        uint mode = directory ? Directory : symlink ? 0xa1ffu : Regular;
        byte[] target = symlink ? new byte[_random.Next(1, 2000)] : [];
        Array.Fill(target, (byte)'t');
        byte[] xattr = _random.Next(6) == 0 ? IntentWriter.Xattr("user.first", new byte[_random.Next(3000)]) : [];
        string name = NewName();
        ulong ino = TakeIno(engine);
        var intent = new IntentCreate
        {
            Dir = dir.Ino,
            Ino = ino,
            Mode = mode,
            Uid = 1000,
            Time = Now,
            NameBytes = (ushort)name.Length,
            LinkBytes = (ushort)target.Length,
            XattrBytes = (uint)((xattr.Length + 7) & ~7),
        };
        Emit(engine, intent, IntentOp.Create, IntentWriter.Name(name), target, xattr);
        var inode = new SimInode(ino, mode) { Links = directory ? 2 : 1 };
        if (xattr.Length > 0)
        {
            inode.Xattrs.Add("user.first");
        }

        _inodes.Add(ino, inode);
        dir.Entries.Add(name, ino);
        (directory ? _directories : _others).Add(ino);
    }

    private void CreateTemporary(LakeEngine engine)
    {
        ulong ino = TakeIno(engine);
        Emit(engine, new IntentCreate { Ino = ino, Mode = Regular, Time = Now }, IntentOp.Create);
        _inodes.Add(ino, new SimInode(ino, Regular));
        _others.Add(ino);
    }

    private void Link(LakeEngine engine)
    {
        if (_others.Count == 0)
        {
            return;
        }

        SimInode inode = Pick(_others);
        if (inode.IsDirectory)
        {
            return;
        }

        SimInode dir = Pick(_directories);
        string name = NewName();
        var intent = new IntentLink { Dir = dir.Ino, Ino = inode.Ino, Time = Now, NameBytes = (ushort)name.Length };
        Emit(engine, intent, IntentOp.Link, IntentWriter.Name(name));
        inode.Links++;
        dir.Entries.Add(name, inode.Ino);
    }

    private void Unlink(LakeEngine engine)
    {
        SimInode dir = Pick(_directories);
        if (dir.Entries.Count == 0)
        {
            return;
        }

        (string name, ulong ino) = dir.Entries.ElementAt(_random.Next(dir.Entries.Count));
        SimInode inode = _inodes[ino];
        if (inode.IsDirectory && inode.Entries.Count > 0)
        {
            return;
        }

        var intent = new IntentUnlink { Dir = dir.Ino, Ino = ino, Time = Now, NameBytes = (ushort)name.Length };
        Emit(engine, intent, IntentOp.Unlink, IntentWriter.Name(name));
        dir.Entries.Remove(name);
        DropLink(inode);
    }

    private void DropLink(SimInode inode)
    {
        inode.Links = inode.IsDirectory ? 0 : inode.Links - 1;
        if (inode.IsDirectory)
        {
            _directories.Remove(inode.Ino);
            _others.Add(inode.Ino);
        }
    }

    private void Rename(LakeEngine engine)
    {
        SimInode from = Pick(_directories);
        SimInode to = Pick(_directories);
        if (from.Entries.Count == 0)
        {
            return;
        }

        (string source, ulong ino) = from.Entries.ElementAt(_random.Next(from.Entries.Count));
        SimInode inode = _inodes[ino];
        bool replace = to.Entries.Count > 0 && _random.Next(2) == 0;
        string target = replace ? to.Entries.Keys.ElementAt(_random.Next(to.Entries.Count)) : NewName();
        SimInode? victim = replace ? _inodes[to.Entries[target]] : null;
        uint flags = replace && _random.Next(3) == 0 ? RenameFlags.Exchange
            : !inode.IsDirectory && _random.Next(5) == 0 ? RenameFlags.Whiteout : 0;
        bool exchange = flags == RenameFlags.Exchange;
        if (victim == inode || IsBelow(to, inode) || (exchange && IsBelow(from, victim!))
            || (victim is not null && !exchange && (victim.IsDirectory != inode.IsDirectory || victim.Entries.Count > 0)))
        {
            return;
        }

        ulong whiteout = flags == RenameFlags.Whiteout ? TakeIno(engine) : 0;
        var intent = new IntentRename
        {
            SrcDir = from.Ino,
            DstDir = to.Ino,
            Ino = ino,
            TargetIno = victim?.Ino ?? 0,
            Flags = flags,
            WhiteoutIno = whiteout,
            WhiteoutMode = whiteout == 0 ? 0 : 0x2000u,
            SrcBytes = (ushort)source.Length,
            DstBytes = (ushort)target.Length,
            Time = Now,
        };
        Emit(engine, intent, IntentOp.Rename, IntentWriter.Name(source), IntentWriter.Name(target));
        from.Entries.Remove(source);
        to.Entries[target] = ino;
        if (exchange)
        {
            from.Entries[source] = victim!.Ino;
        }
        else if (victim is not null)
        {
            DropLink(victim);
        }

        if (whiteout != 0)
        {
            _inodes.Add(whiteout, new SimInode(whiteout, 0x2000) { Links = 1 });
            _others.Add(whiteout);
            from.Entries[source] = whiteout;
        }
    }

    private bool IsBelow(SimInode dir, SimInode top) =>
        dir == top || top.Entries.Values.Any(ino => _inodes[ino] is { IsDirectory: true } child && IsBelow(dir, child));

    private SimInode? PickRegular()
    {
        for (int i = 0; i < 5 && _others.Count > 0; i++)
        {
            SimInode inode = Pick(_others);
            if (inode.IsRegular)
            {
                return inode;
            }
        }

        return null;
    }

    private void Truncate(LakeEngine engine)
    {
        if (PickRegular() is not { } inode)
        {
            return;
        }

        ulong size = (ulong)_random.Next(200_000);
        var intent = new IntentSetattr { Ino = inode.Ino, Valid = AttrMask.Size | AttrMask.Mtime, Size = size, Mtime = Now };
        Emit(engine, intent, IntentOp.Setattr);
        foreach (ulong block in inode.Blocks.Keys.Where(b => size < inode.Size && b * 4096 >= size).ToArray())
        {
            inode.Blocks.Remove(block);
        }

        inode.Size = size;
    }

    private void Xattr(LakeEngine engine)
    {
        if (PickRegular() is not { } inode)
        {
            return;
        }

        string name = $"user.{_random.Next(4)}";
        bool remove = inode.Xattrs.Contains(name) && _random.Next(2) == 0;
        byte[] value = new byte[remove ? 0 : _random.Next(5000)];
        _random.NextBytes(value);
        var intent = new IntentXattr
        {
            Ino = inode.Ino,
            Ctime = Now,
            Action = remove ? XattrAction.Remove : XattrAction.Set,
            ValueBytes = (uint)value.Length,
            NameBytes = (ushort)name.Length,
        };
        Emit(engine, intent, IntentOp.Xattr, [.. IntentWriter.Name(name), .. value]);
        if (remove)
        {
            inode.Xattrs.Remove(name);
        }
        else
        {
            inode.Xattrs.Add(name);
        }
    }

    private void Map(LakeEngine engine)
    {
        if (PickRegular() is not { } inode)
        {
            return;
        }

        int count = _random.Next(1, 33);
        ulong fileBlock = (ulong)_random.Next(100);
        uint flags = _random.Next(3) switch { 0 => ExtentFlags.Unwritten, 1 => 0, _ => ExtentFlags.Crc };
        ulong phys;
        if (_random.Next(4) == 0 && UnwrittenBlock(inode) is { } unwritten)
        {
            (fileBlock, phys, count, flags) = (unwritten.FileBlock, unwritten.Phys, 1, ExtentFlags.Crc);
        }
        else if (!TryTakeBlocks(engine, count, out phys))
        {
            return;
        }

        byte[] crcs = new byte[flags == ExtentFlags.Crc ? count * 4 : 0];
        _random.NextBytes(crcs);
        ulong size = (fileBlock + (ulong)count) * 4096;
        var intent = new IntentMap
        {
            Ino = inode.Ino,
            FileBlock = fileBlock,
            PhysBlock = phys,
            Blocks = (uint)count,
            Flags = flags,
            Size = size,
            Mtime = Now,
            Ctime = Now,
        };
        Emit(engine, intent, IntentOp.Map, crcs);
        for (int i = 0; i < count; i++)
        {
            inode.Blocks[fileBlock + (ulong)i] = (phys + (ulong)i, flags);
        }

        inode.Size = Math.Max(inode.Size, size);
    }

    private void Clone(LakeEngine engine)
    {
        if (PickRegular() is not { } source || PickRegular() is not { } target)
        {
            return;
        }

        ulong count = (ulong)_random.Next(1, 60);
        ulong from = (ulong)_random.Next(100);
        ulong to = (ulong)_random.Next(100);
        if (source == target && from < to + count && to < from + count)
        {
            return;
        }

        ulong size = _random.Next(2) == 0 ? (to + count) * 4096 : 0;
        var intent = new IntentClone
        {
            SrcIno = source.Ino,
            SrcBlock = from,
            DstIno = target.Ino,
            DstBlock = to,
            Blocks = count,
            Size = size,
            Mtime = Now,
            Ctime = Now,
        };
        Emit(engine, intent, IntentOp.Clone);
        for (ulong i = 0; i < count; i++)
        {
            target.Blocks.Remove(to + i);
            if (source.Blocks.TryGetValue(from + i, out (ulong Phys, uint Flags) block) && block.Flags != ExtentFlags.Unwritten)
            {
                target.Blocks[to + i] = block;
            }
        }

        target.Size = Math.Max(target.Size, size);
    }

    private static (ulong FileBlock, ulong Phys)? UnwrittenBlock(SimInode inode)
    {
        foreach ((ulong block, (ulong phys, uint flags)) in inode.Blocks)
        {
            if (flags == ExtentFlags.Unwritten)
            {
                return (block, phys);
            }
        }

        return null;
    }

    private void Punch(LakeEngine engine)
    {
        if (PickRegular() is not { } inode)
        {
            return;
        }

        ulong from = (ulong)_random.Next(130);
        ulong count = (ulong)_random.Next(1, 20);
        bool overwrite = _random.Next(3) == 0;
        if (overwrite)
        {
            Emit(engine, new IntentOverwrite { Ino = inode.Ino, FileBlock = from, Blocks = count }, IntentOp.Overwrite);
            return;
        }

        Emit(engine, new IntentUnmap { Ino = inode.Ino, FileBlock = from, Blocks = count, Mtime = Now, Ctime = Now }, IntentOp.Unmap);
        for (ulong i = from; i < from + count; i++)
        {
            inode.Blocks.Remove(i);
        }
    }

    private void Release(LakeEngine engine)
    {
        ulong orphan = _others.FirstOrDefault(ino => _inodes[ino].Links == 0);
        if (orphan == 0)
        {
            return;
        }

        Emit(engine, new IntentRelease { Ino = orphan }, IntentOp.Release);
        _others.Remove(orphan);
        _inodes.Remove(orphan);
    }
}
