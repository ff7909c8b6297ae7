// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Client;
using DeepLake.Engine;
using DeepLake.Platform;

namespace DeepLake.InMemory;

/// <summary>
/// A lake in memory: the engine, the log, the recovery, the ingest and the checker that a lake on a disk has,
/// and this object where that has the kernel. It is gone with the object (docs/in-memory.md).
/// </summary>
/// <remarks>
/// <para>Not thread-safe: one thread at a time, streams of <see cref="OpenRead"/> included.</para>
/// <para>
/// Paths begin at the root, with or without a slash in front; "." and ".." work, and symbolic links are
/// followed, at the end of a path unless a method says otherwise. Names are UTF-8, 255 bytes at most.
/// </para>
/// <para>
/// What fails is a <see cref="LakeException"/> with the path and a reason as of the system call: EINVAL,
/// ENAMETOOLONG, ENOENT, ENOTDIR and ELOOP of a path anywhere, others as the methods say. Nothing was changed
/// then. Permissions are kept, not enforced.
/// </para>
/// <para>
/// A change is seen at once, and survives <see cref="Crash"/> from the next <see cref="Sync"/> on; now and then
/// the lake makes changes durable by itself. Each operation does so as a whole (a file of up to 256 MiB; of a
/// larger one, or when free space is in very many pieces or metadata short of room, a crash may leave a part).
/// </para>
/// </remarks>
public sealed partial class InMemoryLake : IDisposable
{
    private const int BlockBytes = LakeFormat.BlockSize;

    private readonly InMemoryLakeOptions _options;
    private MemoryDisk? _disk;
    private OpenLake? _open;

    private InMemoryLake(InMemoryLakeOptions options, MemoryDisk disk)
    {
        _options = options;
        _disk = disk;
        _open = OpenLake.Open(disk, options);
    }

    private MemoryDisk Disk => _disk ?? throw new ObjectDisposedException(nameof(InMemoryLake));

    private OpenLake Lake => _open ?? throw (_disk is null
        ? new ObjectDisposedException(nameof(InMemoryLake))
        : new LakeException(Errno.ESHUTDOWN, "/", "the lake could not be opened again"));

    private LakeClient Client => Lake.Client;

    private LakeEngine Engine => Lake.Engine;

    /// <summary>Makes an empty lake.</summary>
    /// <exception cref="LakeException">EINVAL: the size is too small, or the label too long.</exception>
    public static InMemoryLake Create(InMemoryLakeOptions? options = null)
    {
        options ??= new InMemoryLakeOptions();
        if (options.SizeBytes < InMemoryLakeOptions.MinSizeBytes)
        {
            throw new LakeException(
                Errno.EINVAL, "/", $"a lake of {options.SizeBytes} bytes is too small; {InMemoryLakeOptions.MinSizeBytes} are the least");
        }

        var disk = new MemoryDisk(options.SizeBytes / BlockBytes * BlockBytes);
        try
        {
            LakeFormatter.Format(disk, new FormatOptions(options.Uuid ?? Guid.NewGuid(), options.Label, options.Clock.GetUtcNow()));
        }
        catch (LakeFormatException e)
        {
            throw new LakeException(Errno.EINVAL, "/", e.Message, e);
        }

        return new InMemoryLake(options, disk);
    }

    /// <summary>Makes all changes so far durable, as fsync does.</summary>
    public void Sync()
    {
        Begin("/");
        Client.Commit();
    }

    /// <summary>Ends the lake cleanly and opens it again, as an unmount and a mount do. Open streams go on.</summary>
    public void Reopen()
    {
        Begin("/");
        Engine.MarkClean();
        OpenAgain();
    }

    /// <summary>
    /// A power cut, and recovery: what is not durable is gone, and the lake is opened again from its newest
    /// checkpoint and its log. Open streams go on if their files are still there.
    /// </summary>
    public void Crash() => OpenAgain(() => Disk.CutPower());

    /// <summary>The lake is gone.</summary>
    public void Dispose()
    {
        _open?.Dispose();
        _disk?.Dispose();
        (_open, _disk) = (null, null);
    }

    private static LakeException Error(Errno reason, string path, string message) => new(reason, path, message);

    private void OpenAgain(Action? between = null)
    {
        MemoryDisk disk = Disk;
        _open?.Dispose();
        _open = null;
        between?.Invoke();
        _open = OpenLake.Open(disk, _options);
    }

    /// <summary>Before each change.</summary>
    /// <param name="path">What is changed.</param>
    /// <param name="grows">It needs metadata.</param>
    private void Begin(string path, bool grows = false)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (Client.HasFailed)
        {
            throw Error(Errno.EIO, path, "a change before this one failed in the middle; Crash() goes back to what is durable");
        }

        Lake.Path = path;
        Client.BeginGroup();
        if (grows && Engine.MetadataIsFull)
        {
            throw Error(Errno.ENOSPC, path, "the lake has no room for more metadata; nothing was changed");
        }
    }

    private Place Resolve(string path, bool follow)
    {
        Lake.Path = path;
        return Lake.Paths.Resolve(path, follow);
    }

    /// <summary>What a path names.</summary>
    private InodeRecord Find(string path, bool follow) =>
        Resolve(path, follow).Inode ?? throw Error(Errno.ENOENT, path, "it does not exist");

    private InodeRecord FindFile(string path) => RequireFile(Find(path, follow: true), path);

    private static InodeRecord RequireFile(in InodeRecord inode, string path) =>
        FileType.IsRegular(inode.Mode) ? inode
        : throw Error(FileType.IsDirectory(inode.Mode) ? Errno.EISDIR : Errno.EINVAL, path, "it is not a file");

    /// <summary>A name that may be taken.</summary>
    private Place FindFree(string path)
    {
        Place place = Resolve(path, follow: false);
        return place.Inode is null ? place : throw Error(Errno.EEXIST, path, "it exists already");
    }

    /// <summary>A name that is there and can go.</summary>
    private (Place Place, InodeRecord Inode) FindNamed(string path)
    {
        Place place = Resolve(path, follow: false);
        InodeRecord inode = place.Inode ?? throw Error(Errno.ENOENT, path, "it does not exist");
        return place.Name.Length > 0 ? (place, inode) : throw Error(Errno.EBUSY, path, "it is the root, or named by \"..\"");
    }
}
