// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using DeepLake.Abi;
using DeepLake.Metadata.Tables;
using DeepLake.Platform;

namespace DeepLake.Engine.State;

/// <summary>Create, link, unlink and rename.</summary>
internal sealed partial class IntentApplier
{
    private void Create(ReadOnlySpan<byte> entry)
    {
        ref readonly IntentCreate intent = ref Read<IntentCreate>(entry);
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
            AddName(intent.Dir, name, _seq, record.Ino, record.Mode, intent.Time);
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
        ref readonly IntentLink intent = ref Read<IntentLink>(entry);
        ReadOnlySpan<byte> rest = entry[Unsafe.SizeOf<IntentLink>()..];
        ReadOnlySpan<byte> name = TakeName(ref rest, intent.NameBytes);
        ref readonly InodeRecord found = ref PeekInode(intent.Ino);
        if (FileType.IsDirectory(found.Mode) || found.Nlink >= LakeFormat.LinkMax)
        {
            Fault($"intent {_seq} links inode {intent.Ino}, which cannot have another link");
        }

        AddName(intent.Dir, name, _seq, intent.Ino, found.Mode, intent.Time);
        ref InodeRecord inode = ref EditInode(intent.Ino);
        inode.Ctime = intent.Time;
        if (inode.Nlink++ == 0)
        {
            RemoveOrphan(intent.Ino);
        }
    }

    private void Unlink(ReadOnlySpan<byte> entry)
    {
        ref readonly IntentUnlink intent = ref Read<IntentUnlink>(entry);
        ReadOnlySpan<byte> rest = entry[Unsafe.SizeOf<IntentUnlink>()..];
        ReadOnlySpan<byte> name = TakeName(ref rest, intent.NameBytes);
        PeekDirectory(intent.Dir);
        RemoveName(intent.Dir, name, intent.Ino, intent.Time);
        DropLink(intent.Ino, intent.Time);
    }

    private void Rename(ReadOnlySpan<byte> entry)
    {
        ref readonly IntentRename intent = ref Read<IntentRename>(entry);
        ReadOnlySpan<byte> rest = entry[Unsafe.SizeOf<IntentRename>()..];
        ReadOnlySpan<byte> sourceName = TakeName(ref rest, intent.SrcBytes);
        ReadOnlySpan<byte> targetName = TakeName(ref rest, intent.DstBytes);
        if ((intent.Flags & ~(RenameFlags.Exchange | RenameFlags.Whiteout)) != 0
            || intent.Flags == (RenameFlags.Exchange | RenameFlags.Whiteout))
        {
            Fault($"rename intent {_seq} has the flags 0x{intent.Flags:x}");
        }

        PeekDirectory(intent.SrcDir);
        PeekDirectory(intent.DstDir);
        DirectoryEntry source = FindEntry(intent.SrcDir, sourceName, intent.Ino, out ulong sourceHash);
        if ((intent.Flags & RenameFlags.Exchange) != 0)
        {
            Exchange(intent, source, targetName);
            return;
        }

        bool replaces = intent.TargetIno != 0;
        DirectoryEntry replaced = replaces ? Replaced(intent, targetName) : default;
        ref InodeRecord inode = ref EditInode(intent.Ino);
        inode.Ctime = intent.Time;
        uint mode = inode.Mode;
        state.Directories.RemoveEntry(intent.SrcDir, sourceHash, source);
        CountName(intent.SrcDir, -1, mode, intent.Time);
        if ((intent.Flags & RenameFlags.Whiteout) != 0)
        {
            AddWhiteout(intent, sourceName, source.Cookie);
        }

        byte type = FileType.DirentType(mode);
        if (replaces)
        {
            // A name that is replaced is never gone: who reads the directory meanwhile sees it, and once.
            state.Directories.RemoveParent(source);
            state.Directories.Retarget(intent.DstDir, replaced, intent.Ino, type);
        }
        else
        {
            ulong targetHash = CheckNewName(intent.DstDir, targetName);
            state.Directories.AddEntry(intent.DstDir, targetName, targetHash, new DirectoryEntry(_seq, intent.Ino, type));
            state.Directories.MoveParent(
                source, Planted.Is(PlantedFault.RenamedDirectoryKeepsItsParent) ? intent.SrcDir : intent.DstDir, _seq);
        }

        CountName(intent.DstDir, 1, mode, intent.Time);
    }

    /// <summary>The entry of the name that a rename replaces, whose inode has it no more.</summary>
    private DirectoryEntry Replaced(in IntentRename intent, ReadOnlySpan<byte> name)
    {
        if (intent.TargetIno == intent.Ino)
        {
            Fault($"rename intent {_seq} replaces an inode by itself");
        }

        DirectoryEntry entry = FindEntry(intent.DstDir, name, intent.TargetIno, out _);
        CountName(intent.DstDir, -1, PeekInode(intent.TargetIno).Mode, intent.Time);
        DropLink(intent.TargetIno, intent.Time);
        return entry;
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
        AddName(intent.SrcDir, name, cookie, record.Ino, record.Mode, intent.Time);
        PutInode(ref record);
        state.Counters.InodeCount++;
        state.Counters.NextIno = Math.Max(state.Counters.NextIno, record.Ino + 1);
    }

    private void Exchange(in IntentRename intent, in DirectoryEntry source, ReadOnlySpan<byte> targetName)
    {
        DirectoryEntry target = FindEntry(intent.DstDir, targetName, intent.TargetIno, out _);
        uint firstMode = PeekInode(intent.Ino).Mode;
        uint secondMode = PeekInode(intent.TargetIno).Mode;
        if (intent.Ino == intent.TargetIno)
        {
            Fault($"rename intent {_seq} exchanges an inode with itself");
        }

        state.Directories.Retarget(intent.SrcDir, source, intent.TargetIno, target.Type);
        state.Directories.Retarget(intent.DstDir, target, intent.Ino, source.Type);
        int difference = (FileType.IsDirectory(secondMode) ? 1 : 0) - (FileType.IsDirectory(firstMode) ? 1 : 0);
        ref InodeRecord dir = ref EditInode(intent.SrcDir);
        Touch(ref dir, intent.Time);
        if (intent.SrcDir != intent.DstDir)
        {
            dir.Nlink = (uint)((int)dir.Nlink + difference);
            dir = ref EditInode(intent.DstDir);
            Touch(ref dir, intent.Time);
            dir.Nlink = (uint)((int)dir.Nlink - difference);
        }

        EditInode(intent.Ino).Ctime = intent.Time;
        EditInode(intent.TargetIno).Ctime = intent.Time;
    }

    private void AddName(ulong dir, ReadOnlySpan<byte> name, ulong cookie, ulong ino, uint mode, LakeTime time)
    {
        ulong nameHash = CheckNewName(dir, name);
        state.Directories.Add(dir, name, nameHash, new DirectoryEntry(cookie, ino, FileType.DirentType(mode)));
        CountName(dir, 1, mode, time);
    }

    /// <summary>The hash of a name that may be added.</summary>
    private ulong CheckNewName(ulong dir, ReadOnlySpan<byte> name)
    {
        ulong nameHash = state.Directories.HashOf(name);
        if (PeekDirectory(dir).Nlink == 0 || state.Directories.TryFind(dir, name, nameHash, out _))
        {
            Fault($"intent {_seq} adds a name to directory {dir} that is there already, or the directory is gone");
        }

        return nameHash;
    }

    private void RemoveName(ulong dir, ReadOnlySpan<byte> name, ulong ino, LakeTime time)
    {
        DirectoryEntry entry = FindEntry(dir, name, ino, out ulong nameHash);
        uint mode = PeekInode(ino).Mode;
        state.Directories.Remove(dir, nameHash, entry);
        CountName(dir, -1, mode, time);
    }

    private void CountName(ulong dir, int names, uint mode, LakeTime time)
    {
        ref InodeRecord record = ref EditInode(dir);
        record.Size += (ulong)names;
        record.Nlink += FileType.IsDirectory(mode) ? (uint)names : 0u;
        Touch(ref record, time);
    }

    private static void Touch(ref InodeRecord dir, LakeTime time)
    {
        dir.Mtime = time;
        dir.Ctime = time;
    }

    /// <summary>One name fewer; the last one makes the inode an orphan until it is released.</summary>
    private void DropLink(ulong ino, LakeTime time)
    {
        ref InodeRecord inode = ref EditInode(ino);
        if (FileType.IsDirectory(inode.Mode))
        {
            if (inode.Size != 0 || inode.Nlink != 2)
            {
                Fault($"intent {_seq} removes directory {ino}, which is not empty");
            }

            inode.Nlink = 0;
        }
        else
        {
            if (inode.Nlink == 0)
            {
                Fault($"intent {_seq} removes a name of inode {ino}, which has none");
            }

            inode.Nlink--;
        }

        inode.Ctime = time;
        if (inode.Nlink == 0)
        {
            AddOrphan(ino);
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
