// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Text;
using DeepLake.Abi;

namespace DeepLake.Sim;

/// <summary>Names, attributes and xattrs.</summary>
internal sealed partial class ModelTree
{
    private void Create(ReadOnlySpan<byte> record)
    {
        var intent = Read<IntentCreate>(record);
        ReadOnlySpan<byte> rest = Tail<IntentCreate>(record);
        string name = Name(ref rest, intent.NameBytes);
        var inode = new ModelInode(intent.Ino, intent.Mode)
        {
            Uid = intent.Uid,
            Gid = intent.Gid,
            Generation = intent.Generation,
            Flags = intent.InodeFlags,
            Atime = intent.Time,
            Mtime = intent.Time,
            Ctime = intent.Time,
            Btime = intent.Time,
            Link = Take(ref rest, intent.LinkBytes).ToArray(),
            Size = intent.LinkBytes,
            LastSeq = Seq,
            Barrier = Seq,
        };
        ReadOnlySpan<byte> xattrs = Take(ref rest, (int)intent.XattrBytes);
        while (!xattrs.IsEmpty)
        {
            var xattr = Read<XattrRecord>(xattrs);
            int at = Unsafe.SizeOf<XattrRecord>();
            inode.Xattrs[Encoding.UTF8.GetString(xattrs.Slice(at, xattr.NameBytes))] =
                xattrs.Slice(at + xattr.NameBytes, (int)xattr.ValueBytes).ToArray();
            xattrs = xattrs[((at + xattr.NameBytes + (int)xattr.ValueBytes + 7) & ~7)..];
        }

        Inodes.Add(inode.Ino, inode);
        if (intent.Dir != 0)
        {
            inode.Nlink = inode.IsDirectory ? 2u : 1u;
            AddName(intent.Dir, name, new ModelEntry(inode.Ino, Seq), intent.Time);
        }
    }

    private void Link(ReadOnlySpan<byte> record)
    {
        var intent = Read<IntentLink>(record);
        ReadOnlySpan<byte> rest = Tail<IntentLink>(record);
        AddName(intent.Dir, Name(ref rest, intent.NameBytes), new ModelEntry(intent.Ino, Seq), intent.Time);
        ModelInode inode = Changed(intent.Ino);
        inode.Nlink++;
        inode.Ctime = intent.Time;
    }

    private void Unlink(ReadOnlySpan<byte> record)
    {
        var intent = Read<IntentUnlink>(record);
        ReadOnlySpan<byte> rest = Tail<IntentUnlink>(record);
        RemoveName(intent.Dir, Name(ref rest, intent.NameBytes), intent.Time);
        DropLink(intent.Ino, intent.Time);
    }

    private void Rename(ReadOnlySpan<byte> record)
    {
        var intent = Read<IntentRename>(record);
        ReadOnlySpan<byte> rest = Tail<IntentRename>(record);
        string source = Name(ref rest, intent.SrcBytes);
        string target = Name(ref rest, intent.DstBytes);
        if (intent.Flags == RenameFlags.Exchange)
        {
            Exchange(intent, source, target);
            return;
        }

        ulong targetCookie = Seq;
        if (intent.TargetIno != 0)
        {
            targetCookie = Inodes[intent.DstDir].Entries[target].Cookie;
            RemoveName(intent.DstDir, target, intent.Time);
            DropLink(intent.TargetIno, intent.Time);
        }

        Changed(intent.Ino).Ctime = intent.Time;
        ulong cookie = Inodes[intent.SrcDir].Entries[source].Cookie;
        RemoveName(intent.SrcDir, source, intent.Time);
        if (intent.Flags == RenameFlags.Whiteout)
        {
            Inodes.Add(intent.WhiteoutIno, new ModelInode(intent.WhiteoutIno, intent.WhiteoutMode)
            {
                Nlink = 1,
                Uid = intent.WhiteoutUid,
                Gid = intent.WhiteoutGid,
                Generation = intent.WhiteoutGeneration,
                Atime = intent.Time,
                Mtime = intent.Time,
                Ctime = intent.Time,
                Btime = intent.Time,
                LastSeq = Seq,
                Barrier = Seq,
            });
            AddName(intent.SrcDir, source, new ModelEntry(intent.WhiteoutIno, cookie), intent.Time);
        }

        AddName(intent.DstDir, target, new ModelEntry(intent.Ino, targetCookie), intent.Time);
    }

    private void Exchange(in IntentRename intent, string source, string target)
    {
        ModelInode from = Changed(intent.SrcDir);
        ModelInode to = Changed(intent.DstDir);
        ModelEntry first = from.Entries[source];
        ModelEntry second = to.Entries[target];
        from.Entries[source] = first with { Ino = second.Ino };
        to.Entries[target] = second with { Ino = first.Ino };
        Moved(Inodes[first.Ino], from, to);
        Moved(Inodes[second.Ino], to, from);
        from.Mtime = from.Ctime = to.Mtime = to.Ctime = intent.Time;
        Changed(first.Ino).Ctime = intent.Time;
        Changed(second.Ino).Ctime = intent.Time;
    }

    private static void Moved(ModelInode inode, ModelInode from, ModelInode to)
    {
        if (inode.IsDirectory)
        {
            from.Nlink--;
            to.Nlink++;
            inode.Parent = to.Ino;
        }
    }

    private void AddName(ulong ino, string name, ModelEntry entry, LakeTime time)
    {
        ModelInode dir = Changed(ino);
        dir.Entries.Add(name, entry);
        dir.Size++;
        dir.Mtime = dir.Ctime = time;
        ModelInode inode = Inodes[entry.Ino];
        if (inode.IsDirectory)
        {
            dir.Nlink++;
            inode.Parent = ino;
        }
    }

    private void RemoveName(ulong ino, string name, LakeTime time)
    {
        ModelInode dir = Changed(ino);
        dir.Entries.Remove(name, out ModelEntry entry);
        dir.Size--;
        dir.Mtime = dir.Ctime = time;
        dir.Nlink -= Inodes[entry.Ino].IsDirectory ? 1u : 0u;
    }

    private void DropLink(ulong ino, LakeTime time)
    {
        ModelInode inode = Changed(ino);
        inode.Nlink = inode.IsDirectory ? 0 : inode.Nlink - 1;
        inode.Ctime = time;
    }

    private void SetAttributes(in IntentSetattr intent)
    {
        ModelInode inode = Changed(intent.Ino);
        if ((intent.Valid & AttrMask.Size) != 0)
        {
            inode.MapSeq = Seq;
            inode.DataSeq = Seq;
            ulong end = (intent.Size + LakeFormat.BlockSize - 1) / LakeFormat.BlockSize;
            if (intent.Size < inode.Size)
            {
                Punch(inode, end, ulong.MaxValue);
            }

            inode.Size = intent.Size;
        }

        inode.Mode = (intent.Valid & AttrMask.Mode) != 0 ? (inode.Mode & 0xf000) | (intent.Mode & 0xfff) : inode.Mode;
        inode.Uid = (intent.Valid & AttrMask.Uid) != 0 ? intent.Uid : inode.Uid;
        inode.Gid = (intent.Valid & AttrMask.Gid) != 0 ? intent.Gid : inode.Gid;
        inode.Atime = (intent.Valid & AttrMask.Atime) != 0 ? intent.Atime : inode.Atime;
        inode.Mtime = (intent.Valid & AttrMask.Mtime) != 0 ? intent.Mtime : inode.Mtime;
        inode.Ctime = (intent.Valid & AttrMask.Ctime) != 0 ? intent.Ctime : inode.Ctime;
        inode.Flags = (intent.Valid & AttrMask.Flags) != 0 ? intent.InodeFlags : inode.Flags;
    }

    private void ChangeXattr(ReadOnlySpan<byte> record)
    {
        var intent = Read<IntentXattr>(record);
        ReadOnlySpan<byte> rest = Tail<IntentXattr>(record);
        string name = Encoding.UTF8.GetString(rest[..intent.NameBytes]);
        ModelInode inode = Changed(intent.Ino);
        if (intent.Action == XattrAction.Set)
        {
            inode.Xattrs[name] = rest.Slice(intent.NameBytes, (int)intent.ValueBytes).ToArray();
        }
        else
        {
            inode.Xattrs.Remove(name);
        }

        inode.Mode = intent.SetMode != 0 ? (inode.Mode & 0xf000) | (intent.Mode & 0xfff) : inode.Mode;
        inode.Ctime = intent.Ctime;
    }
}
