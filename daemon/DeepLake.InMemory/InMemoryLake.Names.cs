// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Client;
using DeepLake.Platform;

namespace DeepLake.InMemory;

/// <summary>Names: directories, links, renames.</summary>
public sealed partial class InMemoryLake
{
    private const uint NewFileMode = FileType.Regular | 0x1a4;
    private const uint NewDirectoryMode = FileType.Directory | 0x1ed;
    private const uint NewLinkMode = FileType.Symlink | 0x1ff;

    /// <summary>Makes a directory (mode 0755); the one above it must exist.</summary>
    /// <exception cref="LakeException">EEXIST; ENOSPC.</exception>
    public void CreateDirectory(string path)
    {
        Begin(path, grows: true);
        Place place = FindFree(path.TrimEnd('/') is { Length: > 0 } name ? name : path);
        Client.Create(place.Dir, place.Name, new NodeAttributes { Mode = NewDirectoryMode }, []);
    }

    /// <summary>Removes a name: of a file, of a symbolic link (not what it leads to), of an empty directory.</summary>
    /// <exception cref="LakeException">ENOTEMPTY; EBUSY: the root.</exception>
    public void Delete(string path)
    {
        Begin(path);
        (Place place, InodeRecord inode) = FindNamed(path);
        RequireEmpty(inode, path);
        Client.Unlink(place.Dir, place.Name, inode);
    }

    /// <summary>
    /// Moves a file, directory or symbolic link to another name, as rename does: a file that has the name is
    /// replaced, and so is an empty directory by a directory. Two names of the same file stay both.
    /// </summary>
    /// <exception cref="LakeException">
    /// EISDIR: a file onto a directory; ENOTDIR: a directory onto a file; ENOTEMPTY; EINVAL: a directory into
    /// itself; EBUSY: the root; ENOSPC.
    /// </exception>
    public void Move(string from, string to)
    {
        ArgumentNullException.ThrowIfNull(to);
        Begin(from, grows: true);
        (Place source, InodeRecord inode) = FindNamed(from);
        bool isDirectory = FileType.IsDirectory(inode.Mode);
        Place target = Resolve(isDirectory && to.TrimEnd('/') is { Length: > 0 } name ? name : to, follow: false);
        if (target.Name.Length == 0)
        {
            throw Error(Errno.EBUSY, to, "it is the root, or named by \"..\"");
        }

        if (target.Inode?.Ino == inode.Ino)
        {
            return;
        }

        if (isDirectory && target.Above.Contains(inode.Ino))
        {
            throw Error(Errno.EINVAL, to, $"{from} cannot be moved into itself");
        }

        if (target.Inode is { } replaced)
        {
            RequireReplaceable(replaced, isDirectory, to);
        }
        else if (!isDirectory && to.EndsWith('/'))
        {
            throw Error(Errno.ENOTDIR, to, "only a directory has a name that ends with a slash");
        }

        Client.Rename(source.Dir, source.Name, inode.Ino, target.Dir, target.Name, target.Inode);
    }

    /// <summary>Gives a file or symbolic link another name; both are equally good from then on.</summary>
    /// <exception cref="LakeException">EEXIST: the new name; EPERM: of a directory; EMLINK: too many names; ENOSPC.</exception>
    public void HardLink(string existing, string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        Begin(existing, grows: true);
        InodeRecord inode = Find(existing, follow: false);
        if (FileType.IsDirectory(inode.Mode))
        {
            throw Error(Errno.EPERM, existing, "a directory has one name only");
        }

        Place place = FindFreeForFile(path);
        if (inode.Nlink >= LakeFormat.LinkMax)
        {
            throw Error(Errno.EMLINK, existing, $"it has {inode.Nlink} names already");
        }

        Client.Link(place.Dir, place.Name, inode.Ino);
    }

    /// <summary>Makes a symbolic link.</summary>
    /// <param name="path">Its name.</param>
    /// <param name="target">Where it leads: from the root with a slash in front, else from its directory; need not exist.</param>
    /// <exception cref="LakeException">EEXIST; EINVAL, ENAMETOOLONG: no target, one of more than 4095 bytes; ENOSPC.</exception>
    public void SymbolicLink(string path, string target)
    {
        ArgumentNullException.ThrowIfNull(target);
        Begin(path, grows: true);
        Place place = FindFreeForFile(path);
        byte[] bytes = PathResolver.Bytes(target, path);
        if (bytes.Length is 0 or > LakeFormat.SymlinkMax)
        {
            throw Error(bytes.Length == 0 ? Errno.EINVAL : Errno.ENAMETOOLONG, path, $"the target has {bytes.Length} bytes; 1 to {LakeFormat.SymlinkMax} are allowed");
        }

        Client.Create(place.Dir, place.Name, new NodeAttributes { Mode = NewLinkMode }, bytes);
    }

    /// <summary>Where a symbolic link leads, as it was made.</summary>
    /// <exception cref="LakeException">EINVAL: it is none.</exception>
    public string ReadLink(string path)
    {
        InodeRecord inode = Find(path, follow: false);
        return FileType.IsSymlink(inode.Mode)
            ? PathResolver.Text(Client.ReadLink(inode.Ino))
            : throw Error(Errno.EINVAL, path, "it is not a symbolic link");
    }

    /// <summary>What is in a directory, in the order in which the names were given.</summary>
    /// <exception cref="LakeException">ENOTDIR.</exception>
    public IReadOnlyList<LakeEntry> List(string path)
    {
        InodeRecord inode = Find(path, follow: true);
        return FileType.IsDirectory(inode.Mode)
            ? [.. Client.ReadDirectory(inode.Ino).Select(e => new LakeEntry(PathResolver.Text(e.Name), KindOf((uint)e.DirentType << 12)))]
            : throw Error(Errno.ENOTDIR, path, "it is not a directory");
    }

    /// <summary>Whether a path leads to something; a symbolic link at its end counts itself.</summary>
    public bool Exists(string path)
    {
        try
        {
            return Resolve(path, follow: false).Inode is not null;
        }
        catch (LakeException e) when (e.Reason is Errno.ENOENT or Errno.ENOTDIR)
        {
            return false;
        }
    }

    /// <summary>What a path leads to; a symbolic link at its end is described itself.</summary>
    public LakeFileInfo Stat(string path)
    {
        InodeRecord inode = Find(path, follow: false);
        return new LakeFileInfo
        {
            Kind = KindOf(inode.Mode),
            SizeBytes = (long)inode.Size,
            Blocks = (long)inode.Blocks,
            Links = (int)inode.Nlink,
            Permissions = (int)(inode.Mode & FileType.PermissionMask),
            Uid = inode.Uid,
            Gid = inode.Gid,
            ModifiedAt = TimeOf(inode.Mtime),
            ChangedAt = TimeOf(inode.Ctime),
            InodeNumber = inode.Ino,
        };
    }

    private static LakeFileKind KindOf(uint mode) =>
        FileType.IsDirectory(mode) ? LakeFileKind.Directory : FileType.IsSymlink(mode) ? LakeFileKind.SymbolicLink : LakeFileKind.File;

    private static DateTimeOffset TimeOf(LakeTime time) =>
        DateTimeOffset.UnixEpoch.AddTicks((time.Sec * TimeSpan.TicksPerSecond) + (time.Nsec / TimeSpan.NanosecondsPerTick));

    private static void RequireReplaceable(in InodeRecord replaced, bool byDirectory, string path)
    {
        if (byDirectory != FileType.IsDirectory(replaced.Mode))
        {
            throw byDirectory
                ? Error(Errno.ENOTDIR, path, "a directory cannot replace it: it is none")
                : Error(Errno.EISDIR, path, "it is a directory, which only a directory can replace");
        }

        RequireEmpty(replaced, path);
    }

    private static void RequireEmpty(in InodeRecord inode, string path)
    {
        if (FileType.IsDirectory(inode.Mode) && inode.Size > 0)
        {
            throw Error(Errno.ENOTEMPTY, path, $"the directory has {inode.Size} entries");
        }
    }

    private Place FindFreeForFile(string path)
    {
        Place place = FindFree(path);
        return path.EndsWith('/') ? throw Error(Errno.ENOENT, path, "only a directory has a name that ends with a slash") : place;
    }
}
