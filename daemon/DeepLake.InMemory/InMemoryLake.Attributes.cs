// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Client;
using DeepLake.Platform;

namespace DeepLake.InMemory;

/// <summary>Attributes, and extended ones.</summary>
public sealed partial class InMemoryLake
{
    /// <summary>Sets permissions, owner and time of a file or directory.</summary>
    /// <exception cref="LakeException">EINVAL: other than permission bits.</exception>
    public void SetAttributes(string path, LakeAttributes attributes)
    {
        ArgumentNullException.ThrowIfNull(attributes);
        Begin(path);
        InodeRecord inode = Find(path, follow: true);
        if (((uint)(attributes.Permissions ?? 0) & ~FileType.PermissionMask) != 0)
        {
            throw Error(Errno.EINVAL, path, $"0{Convert.ToString(attributes.Permissions ?? 0, 8)} are no permissions");
        }

        uint valid = AttrMask.Ctime
            | (attributes.Permissions is null ? 0 : AttrMask.Mode)
            | (attributes.Uid is null ? 0 : AttrMask.Uid)
            | (attributes.Gid is null ? 0 : AttrMask.Gid)
            | (attributes.ModifiedAt is null ? 0 : AttrMask.Mtime);
        var node = new NodeAttributes
        {
            Mode = (uint)(attributes.Permissions ?? 0),
            Uid = attributes.Uid ?? 0,
            Gid = attributes.Gid ?? 0,
            Mtime = LakeClient.TimeOf(attributes.ModifiedAt ?? default),
        };
        Client.SetAttributes(inode.Ino, valid, node);
    }

    /// <summary>Sets an extended attribute of a file or directory.</summary>
    /// <param name="path">Whose.</param>
    /// <param name="name">With its class, "user.origin" for example; 255 bytes of UTF-8 at most.</param>
    /// <param name="value">64 KiB at most.</param>
    /// <exception cref="LakeException">EINVAL, ERANGE: an impossible name; E2BIG: the value is too large; ENOSPC.</exception>
    public void SetXattr(string path, string name, ReadOnlySpan<byte> value)
    {
        Begin(path, grows: true);
        InodeRecord inode = Find(path, follow: true);
        byte[] bytes = XattrName(name, path);
        if (value.Length > LakeFormat.XattrValueMax)
        {
            throw Error(Errno.E2BIG, path, $"the value of {name} has {value.Length} bytes; {LakeFormat.XattrValueMax} are allowed");
        }

        int listed = Client.GetXattr(inode.Ino, bytes) is null ? Client.ListXattrs(inode.Ino).Length + bytes.Length + 1 : 0;
        if (listed > LakeFormat.XattrListMax)
        {
            throw Error(Errno.ENOSPC, path, "it has too many extended attributes");
        }

        Client.SetXattr(inode.Ino, new Xattr(bytes, value.ToArray()));
    }

    /// <summary>An extended attribute's value; null when there is none of that name.</summary>
    public byte[]? GetXattr(string path, string name) => Client.GetXattr(Find(path, follow: true).Ino, XattrName(name, path));

    /// <summary>The names of all extended attributes, in no particular order.</summary>
    public IReadOnlyList<string> ListXattrs(string path) =>
        PathResolver.Text(Client.ListXattrs(Find(path, follow: true).Ino)).Split('\0', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Removes an extended attribute.</summary>
    /// <exception cref="LakeException">ENODATA: there is none of that name.</exception>
    public void RemoveXattr(string path, string name)
    {
        Begin(path);
        InodeRecord inode = Find(path, follow: true);
        byte[] bytes = XattrName(name, path);
        if (Client.GetXattr(inode.Ino, bytes) is null)
        {
            throw Error(Errno.ENODATA, path, $"it has no attribute {name}");
        }

        Client.RemoveXattr(inode.Ino, bytes);
    }

    private static byte[] XattrName(string name, string path)
    {
        ArgumentNullException.ThrowIfNull(name);
        byte[] bytes = PathResolver.Bytes(name, path);
        return bytes.Length is > 0 and <= LakeFormat.NameMax ? bytes
            : throw Error(bytes.Length == 0 ? Errno.EINVAL : Errno.ERANGE, path, $"an attribute's name has 1 to {LakeFormat.NameMax} bytes, not {bytes.Length}");
    }
}
