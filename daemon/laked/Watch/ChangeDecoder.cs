// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Control;
using DeepLake.Platform;
using Google.Protobuf;

namespace DeepLake.Laked.Watch;

/// <summary>
/// What an entry of the log says, as the control protocol tells it. Entries were validated when they were applied;
/// what is not as it should be all the same is left out.
/// </summary>
internal static class ChangeDecoder
{
    internal const string Write = "write";
    internal const string Allocate = "allocate";

    private const ulong BlockBytes = LakeFormat.BlockSize;

    /// <summary>Entries that no program has caused.</summary>
    internal static bool IsBackground(IntentOp op) => op is
        IntentOp.Seal or IntentOp.Checked or IntentOp.Unseal or IntentOp.Share or IntentOp.Remap
        or IntentOp.WalEpoch or IntentOp.WalClean or IntentOp.WalObject or IntentOp.WalArchive or IntentOp.WalScrub;

    internal static Change Decode(ReadOnlySpan<byte> entry)
    {
        IntentOp op = MemoryMarshal.Read<IntentHeader>(entry).Op;
        Change change = op switch
        {
            IntentOp.Create => Create(entry),
            IntentOp.Link => Link(entry),
            IntentOp.Unlink => Unlink(entry),
            IntentOp.Rename => Rename(entry),
            IntentOp.Setattr => Setattr(entry),
            IntentOp.Xattr => Xattr(entry),
            IntentOp.Map => Map(entry),
            IntentOp.Overwrite => Overwrite(entry),
            IntentOp.Unmap => Unmap(entry),
            IntentOp.Clone => Clone(entry),
            IntentOp.Shift => Shift(entry),
            IntentOp.Release => new Change { Op = "release", Ino = Read<IntentRelease>(entry).Ino },
            _ => Background(op, entry),
        };
        change.Entries = 1;
        return change;
    }

    private static Change Background(IntentOp op, ReadOnlySpan<byte> entry) => op switch
    {
        IntentOp.Seal or IntentOp.Checked or IntentOp.Unseal => Seal(op, entry),
        IntentOp.Share => Share(entry),
        IntentOp.Remap => Remap(entry),
        IntentOp.WalEpoch => new Change { Op = "epoch", Ctime = Time(Read<WalEpoch>(entry).Time) },
        IntentOp.WalClean => new Change { Op = "clean" },
        IntentOp.WalObject => new Change { Op = "object", Ino = Read<WalObject>(entry).Ino },
        IntentOp.WalArchive => new Change { Op = "archive" },
        IntentOp.WalScrub => new Change { Op = "scrub" },
        _ => new Change { Op = $"op-{(int)op}" },
    };

    private static Change Create(ReadOnlySpan<byte> entry)
    {
        IntentCreate create = Read<IntentCreate>(entry);
        int at = Unsafe.SizeOf<IntentCreate>();
        var change = new Change
        {
            Op = "create",
            Ino = create.Ino,
            Kind = KindOf(create.Mode),
            Mode = create.Mode & FileType.PermissionMask,
            Uid = create.Uid,
            Gid = create.Gid,
            Ctime = Time(create.Time),
            LinkTarget = Bytes(entry, at + Padded(create.NameBytes), create.LinkBytes),
        };
        if (create.Dir != 0)
        {
            (change.Dir, change.Name) = (create.Dir, Bytes(entry, at, create.NameBytes));
        }

        if (FileType.IsDevice(create.Mode))
        {
            change.Rdev = create.Rdev;
        }

        if (create.InodeFlags != 0)
        {
            change.InodeFlags = create.InodeFlags;
        }

        return change;
    }

    private static Change Link(ReadOnlySpan<byte> entry)
    {
        IntentLink link = Read<IntentLink>(entry);
        return new Change { Op = "link", Ino = link.Ino, Dir = link.Dir, Name = Bytes(entry, Unsafe.SizeOf<IntentLink>(), link.NameBytes), Ctime = Time(link.Time) };
    }

    private static Change Unlink(ReadOnlySpan<byte> entry)
    {
        IntentUnlink unlink = Read<IntentUnlink>(entry);
        return new Change { Op = "unlink", Ino = unlink.Ino, Dir = unlink.Dir, Name = Bytes(entry, Unsafe.SizeOf<IntentUnlink>(), unlink.NameBytes), Ctime = Time(unlink.Time) };
    }

    private static Change Rename(ReadOnlySpan<byte> entry)
    {
        IntentRename rename = Read<IntentRename>(entry);
        int at = Unsafe.SizeOf<IntentRename>();
        var change = new Change
        {
            Op = "rename",
            Ino = rename.Ino,
            Dir = rename.SrcDir,
            Name = Bytes(entry, at, rename.SrcBytes),
            ToDir = rename.DstDir,
            ToName = Bytes(entry, at + Padded(rename.SrcBytes), rename.DstBytes),
            Ctime = Time(rename.Time),
        };
        if (rename.TargetIno != 0)
        {
            change.OtherIno = rename.TargetIno;
        }

        AddDetail(change, (rename.Flags & RenameFlags.Exchange) != 0, "exchange");
        AddDetail(change, (rename.Flags & RenameFlags.Whiteout) != 0, "whiteout");
        return change;
    }

    private static Change Setattr(ReadOnlySpan<byte> entry)
    {
        IntentSetattr set = Read<IntentSetattr>(entry);
        var change = new Change { Op = "setattr", Ino = set.Ino };
        bool Has(uint what) => (set.Valid & what) != 0;
        if (Has(AttrMask.Mode))
        {
            change.Mode = set.Mode & FileType.PermissionMask;
        }

        if (Has(AttrMask.Uid))
        {
            change.Uid = set.Uid;
        }

        if (Has(AttrMask.Gid))
        {
            change.Gid = set.Gid;
        }

        if (Has(AttrMask.Size))
        {
            change.Size = set.Size;
        }

        if (Has(AttrMask.Flags))
        {
            change.InodeFlags = set.InodeFlags;
        }

        change.Atime = Has(AttrMask.Atime) ? Time(set.Atime) : null;
        change.Mtime = Has(AttrMask.Mtime) ? Time(set.Mtime) : null;
        change.Ctime = Has(AttrMask.Ctime) ? Time(set.Ctime) : null;
        return change;
    }

    private static Change Xattr(ReadOnlySpan<byte> entry)
    {
        IntentXattr xattr = Read<IntentXattr>(entry);
        bool isSet = xattr.Action != XattrAction.Remove;
        var change = new Change
        {
            Op = isSet ? "setxattr" : "removexattr",
            Ino = xattr.Ino,
            XattrName = Bytes(entry, Unsafe.SizeOf<IntentXattr>(), xattr.NameBytes),
            Ctime = Time(xattr.Ctime),
        };
        if (isSet)
        {
            change.XattrBytes = xattr.ValueBytes;
        }

        if (xattr.SetMode != 0)
        {
            change.Mode = xattr.Mode & FileType.PermissionMask;
        }

        return change;
    }

    private static Change Map(ReadOnlySpan<byte> entry)
    {
        IntentMap map = Read<IntentMap>(entry);
        bool isUnwritten = (map.Flags & ExtentFlags.Unwritten) != 0;
        return Range(isUnwritten ? Allocate : Write, map.Ino, map.FileBlock, map.Blocks, map.Size, map.Mtime, map.Ctime);
    }

    private static Change Overwrite(ReadOnlySpan<byte> entry)
    {
        IntentOverwrite overwrite = Read<IntentOverwrite>(entry);
        var change = new Change { Op = Write, Ino = overwrite.Ino };
        ReadOnlySpan<byte> rest = entry[Unsafe.SizeOf<IntentOverwrite>()..];
        foreach (BlockRange range in MemoryMarshal.Cast<byte, BlockRange>(rest[..(rest.Length & ~(Unsafe.SizeOf<BlockRange>() - 1))]))
        {
            ulong first = range.Start * BlockBytes;
            ulong end = first + (range.Count * BlockBytes);
            change.FirstByte = change.HasFirstByte ? Math.Min(change.FirstByte, first) : first;
            change.EndByte = change.HasEndByte ? Math.Max(change.EndByte, end) : end;
        }

        return change;
    }

    private static Change Unmap(ReadOnlySpan<byte> entry)
    {
        IntentUnmap unmap = Read<IntentUnmap>(entry);
        return Range("punch", unmap.Ino, unmap.FileBlock, unmap.Blocks, 0, unmap.Mtime, unmap.Ctime);
    }

    private static Change Clone(ReadOnlySpan<byte> entry)
    {
        IntentClone clone = Read<IntentClone>(entry);
        Change change = Range("clone", clone.DstIno, clone.DstBlock, clone.Blocks, clone.Size, clone.Mtime, clone.Ctime);
        change.OtherIno = clone.SrcIno;
        return change;
    }

    private static Change Shift(ReadOnlySpan<byte> entry)
    {
        IntentShift shift = Read<IntentShift>(entry);
        Change change = Range("shift", shift.Ino, shift.FileBlock, shift.Blocks, shift.Size, shift.Mtime, shift.Ctime);
        change.Details.Add((shift.Flags & LakeRing.ShiftUp) != 0 ? $"up {shift.Distance * BlockBytes}" : $"down {shift.Distance * BlockBytes}");
        return change;
    }

    private static Change Seal(IntentOp op, ReadOnlySpan<byte> entry)
    {
        IntentSeal seal = Read<IntentSeal>(entry);
        string name = op == IntentOp.Seal ? "seal" : op == IntentOp.Checked ? "checked" : "unseal";
        return Range(name, seal.Ino, seal.FileBlock, seal.Blocks, 0, null, null);
    }

    private static Change Share(ReadOnlySpan<byte> entry)
    {
        IntentShare share = Read<IntentShare>(entry);
        Change change = Range("share", share.DstIno, share.DstBlock, share.Blocks, 0, null, null);
        change.OtherIno = share.SrcIno;
        return change;
    }

    private static Change Remap(ReadOnlySpan<byte> entry)
    {
        IntentRemap remap = Read<IntentRemap>(entry);
        Change change = Range("remap", remap.Ino, remap.FileBlock, remap.Blocks, 0, null, null);
        AddDetail(change, (remap.Flags & ExtentFlags.Packed) != 0, "packed");
        return change;
    }

    private static Change Range(string op, ulong ino, ulong block, ulong blocks, ulong size, LakeTime? mtime, LakeTime? ctime)
    {
        var change = new Change { Op = op, Ino = ino, FirstByte = block * BlockBytes, EndByte = (block + blocks) * BlockBytes };
        if (size != 0)
        {
            change.Size = size;
        }

        change.Mtime = mtime is { } m ? Time(m) : null;
        change.Ctime = ctime is { } c ? Time(c) : null;
        return change;
    }

    private static void AddDetail(Change change, bool isSo, string word)
    {
        if (isSo)
        {
            change.Details.Add(word);
        }
    }

    private static string KindOf(uint mode) => (mode & FileType.Mask) switch
    {
        FileType.Regular => "file",
        FileType.Directory => "directory",
        FileType.Symlink => "symlink",
        FileType.Fifo => "fifo",
        FileType.Socket => "socket",
        FileType.BlockDevice => "block-device",
        _ => "char-device",
    };

    private static ChangeTime Time(LakeTime time) => new() { Sec = time.Sec, Nsec = time.Nsec };

    private static int Padded(int bytes) => (bytes + 7) & ~7;

    private static T Read<T>(ReadOnlySpan<byte> entry)
        where T : unmanaged =>
        entry.Length < Unsafe.SizeOf<T>() ? default : MemoryMarshal.Read<T>(entry);

    private static ByteString Bytes(ReadOnlySpan<byte> entry, int at, int count) =>
        at + count > entry.Length ? ByteString.Empty : ByteString.CopyFrom(entry.Slice(at, count));
}
