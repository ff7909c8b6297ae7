// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Platform;

namespace DeepLake.Client;

/// <summary>Names and inodes.</summary>
public sealed partial class LakeClient
{
    private const int InitialXattrBytes = 32 * 1024;

    /// <summary>Makes an inode with its first name; returns its number.</summary>
    /// <param name="dir">The directory of the name.</param>
    /// <param name="name">One that is not there.</param>
    /// <param name="node">Mode, owner and xattrs; its times are those of now.</param>
    /// <param name="target">Where a symbolic link leads; empty for anything else.</param>
    public ulong Create(ulong dir, ReadOnlySpan<byte> name, NodeAttributes node, ReadOnlySpan<byte> target)
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

    /// <summary>Gives an inode that is no directory another name.</summary>
    public void Link(ulong dir, ReadOnlySpan<byte> name, ulong ino)
    {
        int length = Unsafe.SizeOf<IntentLink>();
        Append(ref length, name);
        Send(new IntentLink { Header = NewHeader(IntentOp.Link, length), Dir = dir, Ino = ino, Time = Now(), NameBytes = (ushort)name.Length }, length);
    }

    /// <summary>Removes a name of a file or of an empty directory; the last one takes the inode with it.</summary>
    public void Unlink(ulong dir, ReadOnlySpan<byte> name, in InodeRecord inode)
    {
        int length = Unsafe.SizeOf<IntentUnlink>();
        Append(ref length, name);
        Send(
            new IntentUnlink { Header = NewHeader(IntentOp.Unlink, length), Dir = dir, Ino = inode.Ino, Time = Now(), NameBytes = (ushort)name.Length },
            length);
        ReleaseLast(inode);
    }

    /// <summary>Moves a name; what had the new one before loses it, as by <see cref="Unlink"/>.</summary>
    /// <param name="fromDir">Where the name is.</param>
    /// <param name="fromName">The name.</param>
    /// <param name="ino">What it names.</param>
    /// <param name="toDir">Where it is to be.</param>
    /// <param name="toName">Under which name.</param>
    /// <param name="replaced">What has that name: another inode than the one that moves; null when nothing has.</param>
    public void Rename(ulong fromDir, ReadOnlySpan<byte> fromName, ulong ino, ulong toDir, ReadOnlySpan<byte> toName, InodeRecord? replaced)
    {
        int length = Unsafe.SizeOf<IntentRename>();
        Append(ref length, fromName);
        Append(ref length, toName);
        var intent = new IntentRename
        {
            Header = NewHeader(IntentOp.Rename, length),
            SrcDir = fromDir,
            DstDir = toDir,
            Ino = ino,
            TargetIno = replaced?.Ino ?? 0,
            SrcBytes = (ushort)fromName.Length,
            DstBytes = (ushort)toName.Length,
            Time = Now(),
        };
        Send(intent, length);
        if (replaced is { } gone)
        {
            ReleaseLast(gone);
        }
    }

    /// <summary>Sets what <paramref name="valid"/> (AttrMask) names, to the values of <paramref name="node"/>; ctime is that of now.</summary>
    public void SetAttributes(ulong ino, uint valid, NodeAttributes node)
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
            Ctime = (valid & AttrMask.Ctime) != 0 ? Now() : default,
        };
        Send(intent, length);
    }

    public void SetXattr(ulong ino, Xattr xattr) => ChangeXattr(ino, xattr, XattrAction.Set);

    /// <summary>Removes an attribute that is there.</summary>
    public void RemoveXattr(ulong ino, byte[] name) => ChangeXattr(ino, new Xattr(name, []), XattrAction.Remove);

    private void ReleaseLast(in InodeRecord inode)
    {
        if (inode.Nlink == 1 || FileType.IsDirectory(inode.Mode))
        {
            int length = Unsafe.SizeOf<IntentRelease>();
            Send(new IntentRelease { Header = NewHeader(IntentOp.Release, length), Ino = inode.Ino }, length);
        }
    }

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

    private void AppendXattr(ref int length, Xattr xattr)
    {
        var record = new XattrRecord { ValueBytes = (uint)xattr.Value.Length, NameBytes = (ushort)xattr.Name.Length };
        MemoryMarshal.Write(_intent.AsSpan(length), in record);
        length += Unsafe.SizeOf<XattrRecord>();
        xattr.Name.CopyTo(_intent, length);
        length += xattr.Name.Length;
        Append(ref length, xattr.Value);
    }
}
