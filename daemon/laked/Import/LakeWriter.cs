// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine;
using DeepLake.Engine.Ingest;
using DeepLake.Hash;
using DeepLake.Laked.Control;
using DeepLake.Control;
using DeepLake.Platform;

namespace DeepLake.Laked.Import;

/// <summary>
/// Plays the kernel's part for a lake that is not mounted: asks the engine for leases, decides every
/// change, and tells it as an intent with the next seq.
/// </summary>
internal sealed class LakeWriter(LakeEngine engine) : ISharer
{
    private const int CommitBytes = LakeFormat.WalFrameMax / 2;
    private const int InitialXattrBytes = 32 * 1024;
    private const ulong InosPerLease = 4096;

    private readonly byte[] _intent = new byte[LakeRing.IntentMax];
    private readonly byte[] _reply = new byte[LakeRing.ReplyMax];
    private readonly Random _generations = new();
    private ulong _nextIno;
    private ulong _inosLeft;

    internal static LakeTime Now()
    {
        long ticks = DateTime.UtcNow.Ticks - DateTime.UnixEpoch.Ticks;
        return new LakeTime { Sec = ticks / TimeSpan.TicksPerSecond, Nsec = (uint)(ticks % TimeSpan.TicksPerSecond * 100) };
    }

    internal bool TryLookup(ulong dir, ReadOnlySpan<byte> name, out InodeRecord record)
    {
        Span<byte> request = stackalloc byte[Unsafe.SizeOf<RequestName>() + 256];
        request.Clear();
        var fixedPart = new RequestName
        {
            Header = new RequestHeader { Len = (uint)request.Length, Op = RequestOp.Lookup },
            Ino = dir,
            NameBytes = (ushort)name.Length,
        };
        MemoryMarshal.Write(request, in fixedPart);
        name.CopyTo(request[Unsafe.SizeOf<RequestName>()..]);
        int result = engine.HandleRequest(request, _reply, out _);
        if (result == -(int)Errno.ENOENT)
        {
            record = default;
            return false;
        }
        record = MemoryMarshal.Read<InodeRecord>(Require(result, "look a name up"));
        return true;
    }

    internal InodeRecord GetInode(ulong ino)
    {
        var request = new RequestIno { Header = NewHeader<RequestIno>(RequestOp.Inode), Ino = ino };
        return MemoryMarshal.Read<InodeRecord>(Ask(request, "read an inode"));
    }

    /// <summary>An attribute's value; null: there is no such attribute.</summary>
    internal byte[]? GetXattr(ulong ino, ReadOnlySpan<byte> name)
    {
        Span<byte> request = stackalloc byte[Unsafe.SizeOf<RequestName>() + 256];
        request.Clear();
        var fixedPart = new RequestName
        {
            Header = new RequestHeader { Len = (uint)request.Length, Op = RequestOp.Getxattr },
            Ino = ino,
            NameBytes = (ushort)name.Length,
        };
        MemoryMarshal.Write(request, in fixedPart);
        name.CopyTo(request[Unsafe.SizeOf<RequestName>()..]);
        int bytes = engine.HandleRequest(request, _reply, out _);
        return bytes < 0 ? null : _reply.AsSpan(0, bytes).ToArray();
    }

    /// <summary>Leases blocks near a goal; empty when the lake is full.</summary>
    internal BlockRange[] LeaseBlocks(ulong want, ulong goal)
    {
        var request = new RequestLease { Header = NewHeader<RequestLease>(RequestOp.LeaseBlocks), Want = want, Goal = goal };
        int result = engine.HandleRequest(MemoryMarshal.AsBytes(new ReadOnlySpan<RequestLease>(in request)), _reply, out _);
        return result == -(int)Errno.ENOSPC ? [] : MemoryMarshal.Cast<byte, BlockRange>(Require(result, "lease blocks")).ToArray();
    }

    internal ulong Create(ulong dir, ReadOnlySpan<byte> name, NodeAttributes node, ReadOnlySpan<byte> target)
    {
        ulong ino = NextIno();
        var intent = new IntentCreate
        {
            Dir = dir,
            Ino = ino,
            Mode = node.Mode,
            Uid = node.Uid,
            Gid = node.Gid,
            Rdev = node.Rdev,
            Generation = (uint)_generations.Next(),
            Time = Now(),
            NameBytes = (ushort)name.Length,
            LinkBytes = (ushort)target.Length,
        };
        int length = Unsafe.SizeOf<IntentCreate>();
        Append(ref length, name);
        Append(ref length, target);
        int xattrStart = length;
        int initial = 0;
        while (initial < node.Xattrs.Count && length - xattrStart + node.Xattrs[initial].Value.Length + 512 < InitialXattrBytes)
        {
            AppendXattr(ref length, node.Xattrs[initial++]);
        }
        intent.XattrBytes = (uint)(length - xattrStart);
        intent.Header = NewHeader(IntentOp.Create, length);
        Send(intent, length);
        for (; initial < node.Xattrs.Count; initial++)
        {
            SetXattr(ino, node.Xattrs[initial]);
        }
        return ino;
    }

    internal void Link(ulong dir, ReadOnlySpan<byte> name, ulong ino)
    {
        int length = Unsafe.SizeOf<IntentLink>();
        Append(ref length, name);
        Send(new IntentLink { Header = NewHeader(IntentOp.Link, length), Dir = dir, Ino = ino, Time = Now(), NameBytes = (ushort)name.Length }, length);
    }

    /// <summary>Removes a name of anything but a directory; the last one takes the inode with it.</summary>
    internal void Unlink(ulong dir, ReadOnlySpan<byte> name, in InodeRecord inode)
    {
        int length = Unsafe.SizeOf<IntentUnlink>();
        Append(ref length, name);
        Send(
            new IntentUnlink { Header = NewHeader(IntentOp.Unlink, length), Dir = dir, Ino = inode.Ino, Time = Now(), NameBytes = (ushort)name.Length },
            length);
        if (inode.Nlink == 1)
        {
            length = Unsafe.SizeOf<IntentRelease>();
            Send(new IntentRelease { Header = NewHeader(IntentOp.Release, length), Ino = inode.Ino }, length);
        }
    }

    internal void SetXattr(ulong ino, Xattr xattr) => ChangeXattr(ino, xattr, XattrAction.Set);

    internal void RemoveXattr(ulong ino, byte[] name) => ChangeXattr(ino, new Xattr(name, []), XattrAction.Remove);

    /// <summary>Sets what <paramref name="valid"/> (AttrMask) names, to the values of <paramref name="node"/>.</summary>
    internal void SetAttributes(ulong ino, uint valid, NodeAttributes node)
    {
        int length = Unsafe.SizeOf<IntentSetattr>();
        var intent = new IntentSetattr
        {
            Header = NewHeader(IntentOp.Setattr, length),
            Ino = ino,
            Valid = valid,
            Mode = node.Mode & FileType.PermissionMask,
            Uid = node.Uid,
            Gid = node.Gid,
            Size = node.SizeBytes,
            Atime = node.Atime,
            Mtime = node.Mtime,
        };
        Send(intent, length);
    }

    /// <summary>Tells where blocks of a file are; their data is on the device already.</summary>
    internal void Map(ulong ino, ulong fileBlock, ulong physBlock, ReadOnlySpan<uint> sums, ulong sizeBytes)
    {
        int length = Unsafe.SizeOf<IntentMap>();
        MemoryMarshal.AsBytes(sums).CopyTo(_intent.AsSpan(length));
        length += sums.Length * sizeof(uint);
        Pad(ref length);
        LakeTime now = Now();
        var intent = new IntentMap
        {
            Header = NewHeader(IntentOp.Map, length),
            Ino = ino,
            FileBlock = fileBlock,
            PhysBlock = physBlock,
            Blocks = (uint)sums.Length,
            Flags = ExtentFlags.Crc,
            Size = sizeBytes,
            Mtime = now,
            Ctime = now,
        };
        Send(intent, length);
    }

    /// <summary>
    /// Seals mapped blocks of a file and has their reads checked; what they are compared with is in the
    /// checksum table already.
    /// </summary>
    internal void SealChecked(ulong ino, ulong fileBlock, uint blocks)
    {
        int length = Unsafe.SizeOf<IntentSeal>();
        Send(new IntentSeal { Header = NewHeader(IntentOp.Seal, length), Ino = ino, FileBlock = fileBlock, Blocks = blocks }, length);
        Send(new IntentSeal { Header = NewHeader(IntentOp.Checked, length), Ino = ino, FileBlock = fileBlock, Blocks = blocks }, length);
    }

    /// <summary>
    /// Gives a file, which is complete, its identity; when the lake has an equal one, both map the same
    /// blocks from now on. Nothing of it has to be: a lake without room goes on without.
    /// </summary>
    internal void Identify(ulong ino, Blake3Hash id)
    {
        InodeRecord inode = GetInode(ino);
        EqualFiles? equal = engine.FindEqual(ino, inode.Size, id);
        if (!engine.PutObject(ino, inode.DataSeq, inode.Size, id) || equal is null)
        {
            return;
        }
        var share = new ShareIngest(engine, this);
        share.Begin(equal.Value);
        while (!share.IsDone)
        {
            share.Advance();
        }
    }

    /// <summary>What the daemon asks of the kernel, whose part this plays.</summary>
    Errno ISharer.Share(ref ShareArgs args)
    {
        int length = Unsafe.SizeOf<IntentShare>();
        var intent = new IntentShare
        {
            Header = NewHeader(IntentOp.Share, length),
            SrcIno = args.SrcIno,
            DstIno = args.DstIno,
            FileBlock = args.FileBlock,
            Blocks = args.Blocks,
        };
        Send(intent, length);
        args.Seq = engine.AppliedSeq;
        return Errno.None;
    }

    internal void Commit() => engine.Commit();

    private static RequestHeader NewHeader<T>(RequestOp op)
        where T : unmanaged => new() { Len = (uint)Unsafe.SizeOf<T>(), Op = op };

    private IntentHeader NewHeader(IntentOp op, int length) => new() { Len = (uint)length, Op = op, Seq = engine.AppliedSeq + 1 };

    private void ChangeXattr(ulong ino, Xattr xattr, XattrAction action)
    {
        int length = Unsafe.SizeOf<IntentXattr>();
        xattr.Name.CopyTo(_intent, length);
        xattr.Value.CopyTo(_intent, length + xattr.Name.Length);
        length += xattr.Name.Length + xattr.Value.Length;
        Pad(ref length);
        var intent = new IntentXattr
        {
            Header = NewHeader(IntentOp.Xattr, length),
            Ino = ino,
            Ctime = Now(),
            Action = action,
            ValueBytes = (uint)xattr.Value.Length,
            NameBytes = (ushort)xattr.Name.Length,
        };
        Send(intent, length);
    }

    private void Append(ref int length, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_intent.AsSpan(length));
        length += bytes.Length;
        Pad(ref length);
    }

    private void AppendXattr(ref int length, Xattr xattr)
    {
        var record = new XattrRecord { ValueBytes = (uint)xattr.Value.Length, NameBytes = (ushort)xattr.Name.Length };
        MemoryMarshal.Write(_intent.AsSpan(length), in record);
        length += Unsafe.SizeOf<XattrRecord>();
        xattr.Name.CopyTo(_intent, length);
        length += xattr.Name.Length;
        Append(ref length, xattr.Value);
    }

    private void Pad(ref int length)
    {
        while (length % LakeRing.EntryAlign != 0)
        {
            _intent[length++] = 0;
        }
    }

    private void Send<T>(in T fixedPart, int length)
        where T : unmanaged
    {
        MemoryMarshal.Write(_intent, in fixedPart);
        engine.Apply(_intent.AsSpan(0, length));
        if (engine.UncommittedBytes >= CommitBytes)
        {
            engine.Commit();
        }
        if (engine.CheckpointDue)
        {
            engine.Checkpoint();
        }
    }

    private ulong NextIno()
    {
        if (_inosLeft == 0)
        {
            var request = new RequestLease { Header = NewHeader<RequestLease>(RequestOp.LeaseInos), Want = InosPerLease };
            BlockRange range = MemoryMarshal.Read<BlockRange>(Ask(request, "lease inode numbers"));
            (_nextIno, _inosLeft) = (range.Start, range.Count);
        }
        _inosLeft--;
        return _nextIno++;
    }

    private ReadOnlySpan<byte> Ask<T>(in T request, string what)
        where T : unmanaged =>
        Require(engine.HandleRequest(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in request)), _reply, out _), what);

    private ReadOnlySpan<byte> Require(int result, string what)
    {
        if (result == -(int)Errno.ENOSPC)
        {
            throw new CommandException(ErrorCode.ErrorGeneral, "the lake is full", "import into a larger device");
        }
        return result >= 0
            ? _reply.AsSpan(0, result)
            : throw new CommandException(ErrorCode.ErrorGeneral, $"cannot {what}: {Linux.Describe((Errno)(-result))}", "run lakectl verify on the device");
    }
}
