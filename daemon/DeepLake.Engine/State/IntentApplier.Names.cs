// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using DeepLake.Abi;
using DeepLake.Metadata.Tables;

namespace DeepLake.Engine.State;

/// <summary>Create, link, unlink and rename.</summary>
internal sealed partial class IntentApplier
{
    private void Create(ReadOnlySpan<byte> entry)
    {
        IntentCreate intent = Read<IntentCreate>(entry);
        ReadOnlySpan<byte> rest = entry[Unsafe.SizeOf<IntentCreate>()..];
        bool isTemporary = intent.Dir == 0;
        ReadOnlySpan<byte> name = isTemporary ? default : TakeName(ref rest, intent.NameBytes);
        ReadOnlySpan<byte> target = TakePadded(ref rest, intent.LinkBytes);
        ReadOnlySpan<byte> xattrs = TakePadded(ref rest, checked((int)intent.XattrBytes));
        CheckNewInode(intent, target, isTemporary);

        bool isDirectory = FileType.IsDirectory(intent.Mode);
        var record = new InodeRecord
        {
            Ino = intent.Ino,
            Mode = intent.Mode,
            Nlink = isTemporary ? 0u : isDirectory ? 2u : 1u,
            Uid = intent.Uid,
            Gid = intent.Gid,
            Rdev = intent.Rdev,
            Generation = intent.Generation,
            Size = (ulong)target.Length,
            LinkBytes = (uint)target.Length,
            Atime = intent.Time,
            Mtime = intent.Time,
            Ctime = intent.Time,
            Btime = intent.Time,
            Flags = intent.InodeFlags,
        };
        if (!isTemporary)
        {
            InodeRecord dir = GetDirectory(intent.Dir);
            AddName(ref dir, name, _seq, record, intent.Time);
            PutInode(ref dir);
        }

        state.Inodes.PutLink(intent.Ino, target);
        record.XattrCount = AddInitialXattrs(intent.Ino, xattrs);
        PutInode(ref record);
        state.Counters.InodeCount++;
        state.Counters.NextIno = Math.Max(state.Counters.NextIno, intent.Ino + 1);
        if (isTemporary)
        {
            AddOrphan(intent.Ino);
        }
    }

    private void CheckNewInode(in IntentCreate intent, ReadOnlySpan<byte> target, bool isTemporary)
    {
        if (intent.Ino < LakeFormat.FirstIno || intent.Ino > long.MaxValue || state.Inodes.Exists(intent.Ino))
        {
            Fault($"intent {_seq} creates inode {intent.Ino}, which is taken or impossible");
        }

        bool isSymlink = FileType.IsSymlink(intent.Mode);
        if (!FileType.IsKnown(intent.Mode) || (isTemporary && FileType.IsDirectory(intent.Mode))
            || isSymlink == target.IsEmpty || target.Length > LakeFormat.SymlinkMax || target.Contains((byte)0))
        {
            Fault($"intent {_seq} creates an inode of mode 0{Convert.ToString(intent.Mode, 8)} with {target.Length} bytes of target");
        }
    }

    private uint AddInitialXattrs(ulong ino, ReadOnlySpan<byte> records)
    {
        uint count = 0;
        while (!records.IsEmpty)
        {
            XattrRecord record = Read<XattrRecord>(records);
            long bytes = Unsafe.SizeOf<XattrRecord>() + record.NameBytes + (long)record.ValueBytes;
            long padded = (bytes + 7) & ~7L;
            if (padded > records.Length || record.ValueBytes > LakeFormat.XattrValueMax || record.NameBytes is 0 or > 255)
            {
                Fault($"intent {_seq} carries a malformed xattr");
            }

            ReadOnlySpan<byte> name = records.Slice(Unsafe.SizeOf<XattrRecord>(), record.NameBytes);
            ReadOnlySpan<byte> value = records.Slice(Unsafe.SizeOf<XattrRecord>() + record.NameBytes, (int)record.ValueBytes);
            count += state.Xattrs.Set(ino, name, value) ? 1u : 0u;
            records = records[(int)padded..];
        }

        return count;
    }

    private void Link(ReadOnlySpan<byte> entry)
    {
        IntentLink intent = Read<IntentLink>(entry);
        ReadOnlySpan<byte> rest = entry[Unsafe.SizeOf<IntentLink>()..];
        ReadOnlySpan<byte> name = TakeName(ref rest, intent.NameBytes);
        InodeRecord dir = GetDirectory(intent.Dir);
        InodeRecord inode = GetInode(intent.Ino);
        if (FileType.IsDirectory(inode.Mode) || inode.Nlink >= LakeFormat.LinkMax)
        {
            Fault($"intent {_seq} links inode {intent.Ino}, which cannot have another link");
        }

        AddName(ref dir, name, _seq, inode, intent.Time);
        PutInode(ref dir);
        if (inode.Nlink++ == 0)
        {
            RemoveOrphan(intent.Ino);
        }

        inode.Ctime = intent.Time;
        PutInode(ref inode);
    }

    private void Unlink(ReadOnlySpan<byte> entry)
    {
        IntentUnlink intent = Read<IntentUnlink>(entry);
        ReadOnlySpan<byte> rest = entry[Unsafe.SizeOf<IntentUnlink>()..];
        ReadOnlySpan<byte> name = TakeName(ref rest, intent.NameBytes);
        InodeRecord dir = GetDirectory(intent.Dir);
        DirectoryEntry found = FindEntry(intent.Dir, name, intent.Ino);
        InodeRecord inode = GetInode(intent.Ino);
        RemoveName(ref dir, name, found, inode, intent.Time);
        PutInode(ref dir);
        DropLink(ref inode, intent.Time);
    }

    private void Rename(ReadOnlySpan<byte> entry)
    {
        IntentRename intent = Read<IntentRename>(entry);
        ReadOnlySpan<byte> rest = entry[Unsafe.SizeOf<IntentRename>()..];
        ReadOnlySpan<byte> sourceName = TakeName(ref rest, intent.SrcBytes);
        ReadOnlySpan<byte> targetName = TakeName(ref rest, intent.DstBytes);
        if ((intent.Flags & ~(RenameFlags.Exchange | RenameFlags.Whiteout)) != 0
            || intent.Flags == (RenameFlags.Exchange | RenameFlags.Whiteout))
        {
            Fault($"rename intent {_seq} has the flags 0x{intent.Flags:x}");
        }

        GetDirectory(intent.SrcDir);
        GetDirectory(intent.DstDir);
        DirectoryEntry source = FindEntry(intent.SrcDir, sourceName, intent.Ino);
        if ((intent.Flags & RenameFlags.Exchange) != 0)
        {
            Exchange(intent, source, targetName);
            return;
        }

        if (intent.TargetIno != 0)
        {
            RemoveTarget(intent, targetName);
        }

        InodeRecord inode = GetInode(intent.Ino);
        InodeRecord dir = GetDirectory(intent.SrcDir);
        RemoveName(ref dir, sourceName, source, inode, intent.Time);
        PutInode(ref dir);
        if ((intent.Flags & RenameFlags.Whiteout) != 0)
        {
            AddWhiteout(intent, sourceName, source.Cookie);
        }

        dir = GetDirectory(intent.DstDir);
        AddName(ref dir, targetName, _seq, inode, intent.Time);
        PutInode(ref dir);
        inode.Ctime = intent.Time;
        PutInode(ref inode);
    }

    private void RemoveTarget(in IntentRename intent, ReadOnlySpan<byte> name)
    {
        DirectoryEntry entry = FindEntry(intent.DstDir, name, intent.TargetIno);
        InodeRecord target = GetInode(intent.TargetIno);
        if (target.Ino == intent.Ino)
        {
            Fault($"rename intent {_seq} replaces an inode by itself");
        }

        InodeRecord dir = GetDirectory(intent.DstDir);
        RemoveName(ref dir, name, entry, target, intent.Time);
        PutInode(ref dir);
        DropLink(ref target, intent.Time);
    }

    private void AddWhiteout(in IntentRename intent, ReadOnlySpan<byte> name, ulong cookie)
    {
        if (intent.WhiteoutIno < LakeFormat.FirstIno || state.Inodes.Exists(intent.WhiteoutIno)
            || (intent.WhiteoutMode & FileType.Mask) != FileType.CharDevice)
        {
            Fault($"rename intent {_seq} makes an impossible whiteout");
        }

        var record = new InodeRecord
        {
            Ino = intent.WhiteoutIno,
            Mode = intent.WhiteoutMode,
            Nlink = 1,
            Uid = intent.WhiteoutUid,
            Gid = intent.WhiteoutGid,
            Generation = intent.WhiteoutGeneration,
            Atime = intent.Time,
            Mtime = intent.Time,
            Ctime = intent.Time,
            Btime = intent.Time,
        };
        InodeRecord dir = GetDirectory(intent.SrcDir);
        AddName(ref dir, name, cookie, record, intent.Time);
        PutInode(ref dir);
        PutInode(ref record);
        state.Counters.InodeCount++;
        state.Counters.NextIno = Math.Max(state.Counters.NextIno, record.Ino + 1);
    }

    private void Exchange(in IntentRename intent, in DirectoryEntry source, ReadOnlySpan<byte> targetName)
    {
        DirectoryEntry target = FindEntry(intent.DstDir, targetName, intent.TargetIno);
        InodeRecord first = GetInode(intent.Ino);
        InodeRecord second = GetInode(intent.TargetIno);
        if (first.Ino == second.Ino)
        {
            Fault($"rename intent {_seq} exchanges an inode with itself");
        }

        state.Directories.Retarget(intent.SrcDir, source, second.Ino, target.Type);
        state.Directories.Retarget(intent.DstDir, target, first.Ino, source.Type);
        int difference = (FileType.IsDirectory(second.Mode) ? 1 : 0) - (FileType.IsDirectory(first.Mode) ? 1 : 0);
        InodeRecord dir = GetDirectory(intent.SrcDir);
        Touch(ref dir, intent.Time);
        if (intent.SrcDir != intent.DstDir)
        {
            dir.Nlink = (uint)((int)dir.Nlink + difference);
            PutInode(ref dir);
            dir = GetDirectory(intent.DstDir);
            Touch(ref dir, intent.Time);
            dir.Nlink = (uint)((int)dir.Nlink - difference);
        }

        PutInode(ref dir);
        StampChange(intent.Ino, intent.Time);
        StampChange(intent.TargetIno, intent.Time);
    }

    private void StampChange(ulong ino, LakeTime time)
    {
        InodeRecord inode = GetInode(ino);
        inode.Ctime = time;
        PutInode(ref inode);
    }

    private void AddName(ref InodeRecord dir, ReadOnlySpan<byte> name, ulong cookie, in InodeRecord inode, LakeTime time)
    {
        if (dir.Nlink == 0 || state.Directories.TryFind(dir.Ino, name, out _))
        {
            Fault($"intent {_seq} adds a name to directory {dir.Ino} that is there already, or the directory is gone");
        }

        state.Directories.Add(dir.Ino, name, cookie, inode.Ino, FileType.DirentType(inode.Mode));
        dir.Size++;
        dir.Nlink += FileType.IsDirectory(inode.Mode) ? 1u : 0u;
        Touch(ref dir, time);
    }

    private void RemoveName(ref InodeRecord dir, ReadOnlySpan<byte> name, in DirectoryEntry entry, in InodeRecord inode, LakeTime time)
    {
        state.Directories.Remove(dir.Ino, name, entry);
        dir.Size--;
        dir.Nlink -= FileType.IsDirectory(inode.Mode) ? 1u : 0u;
        Touch(ref dir, time);
    }

    private static void Touch(ref InodeRecord dir, LakeTime time)
    {
        dir.Mtime = time;
        dir.Ctime = time;
    }

    /// <summary>One name fewer; the last one makes the inode an orphan until it is released.</summary>
    private void DropLink(ref InodeRecord inode, LakeTime time)
    {
        if (FileType.IsDirectory(inode.Mode))
        {
            if (inode.Size != 0 || inode.Nlink != 2)
            {
                Fault($"intent {_seq} removes directory {inode.Ino}, which is not empty");
            }

            inode.Nlink = 0;
        }
        else
        {
            if (inode.Nlink == 0)
            {
                Fault($"intent {_seq} removes a name of inode {inode.Ino}, which has none");
            }

            inode.Nlink--;
        }

        inode.Ctime = time;
        PutInode(ref inode);
        if (inode.Nlink == 0)
        {
            AddOrphan(inode.Ino);
        }
    }

    private void AddOrphan(ulong ino)
    {
        state.Inodes.AddOrphan(ino);
        state.Counters.OrphanCount++;
    }

    private void RemoveOrphan(ulong ino)
    {
        if (!state.Inodes.RemoveOrphan(ino))
        {
            Fault($"inode {ino} has no name but is not an orphan");
        }

        state.Counters.OrphanCount--;
    }
}
