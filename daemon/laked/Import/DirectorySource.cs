// SPDX-License-Identifier: MPL-2.0
using System.Buffers.Binary;
using DeepLake.Abi;
using DeepLake.Client;
using DeepLake.Control;
using DeepLake.Laked.Control;
using DeepLake.Platform;

namespace DeepLake.Laked.Import;

/// <summary>
/// A tree of this machine, in the order of its names. Stays on one file system: mount points become
/// empty directories, with a warning.
/// </summary>
internal sealed class DirectorySource(TreeImporter importer, string root)
{
    private const int DirentNameOffset = 19;
    private const int DirentLengthOffset = 16;
    private const int DirectoryBufferBytes = 64 * 1024;

    private readonly Dictionary<(ulong Device, ulong Ino), ulong> _linked = [];
    private readonly XattrReader _xattrs = new(importer);
    private readonly byte[] _target = new byte[LakeFormat.SymlinkMax + 1];
    private ulong _device;

    internal void Run()
    {
        byte[] name = LinuxFiles.Name(root);
        Require(LinuxFiles.OpenAt(LinuxFiles.CurrentDirectory, name, OpenFlags.ReadOnly | OpenFlags.Directory, out int fd), root);
        try
        {
            Require(LinuxFiles.Status(fd, out FileStatus status), root);
            _device = status.Device;
            NodeAttributes node = Attributes(status, _xattrs.Read(fd, "."u8));
            Walk(fd, LakeFormat.RootIno, root);
            importer.RequireEntries($"{root} is empty");
            importer.FinishRoot(node);
        }
        finally
        {
            Linux.Close(fd);
        }
    }

    private void Walk(int directory, ulong lakeDirectory, string path)
    {
        foreach (byte[] name in ReadNames(directory, path))
        {
            importer.Step(0, 0, () => path + "/" + Text.Of(name));
            Require(LinuxFiles.Status(directory, name, out FileStatus status), path, name);
            if (FileType.IsDirectory(status.Mode))
            {
                TakeDirectory(directory, name, status, lakeDirectory, path);
            }
            else
            {
                TakeOther(directory, name, status, lakeDirectory, path);
            }
        }
    }

    private void TakeDirectory(int parent, byte[] name, in FileStatus status, ulong lakeDirectory, string path)
    {
        NodeAttributes node = Attributes(status, _xattrs.Read(parent, name));
        importer.Place(lakeDirectory, name.AsSpan(0, name.Length - 1), node, default, out ulong ino);
        if (status.Device != _device)
        {
            importer.Warn($"{path}/{Text.Of(name)} is another file system: only the empty directory was taken");
        }
        else
        {
            Require(LinuxFiles.OpenAt(parent, name, OpenFlags.ReadOnly | OpenFlags.Directory, out int fd), path, name);
            try
            {
                Walk(fd, ino, path + "/" + Text.Of(name));
            }
            finally
            {
                Linux.Close(fd);
            }
        }
        importer.Finish(ino, node);
    }

    private void TakeOther(int directory, byte[] name, in FileStatus status, ulong lakeDirectory, string path)
    {
        (ulong, ulong) identity = (status.Device, status.Ino);
        ReadOnlySpan<byte> bareName = name.AsSpan(0, name.Length - 1);
        if (status.LinkCount > 1 && _linked.TryGetValue(identity, out ulong linked))
        {
            importer.PlaceLink(lakeDirectory, bareName, linked);
            return;
        }
        NodeAttributes node = Attributes(status, _xattrs.Read(directory, name));
        int targetBytes = 0;
        if (node.IsSymlink)
        {
            Require(LinuxFiles.ReadLink(directory, name, _target, out targetBytes), path, name);
        }
        bool isNew = importer.Place(lakeDirectory, bareName, node, _target.AsSpan(0, targetBytes), out ulong ino);
        if (isNew)
        {
            if (node.IsRegular)
            {
                CopyData(directory, name, ino, ref node, path);
            }
            importer.Finish(ino, node);
        }
        if (status.LinkCount > 1)
        {
            _linked[identity] = ino;
        }
    }

    private void CopyData(int directory, byte[] name, ulong ino, ref NodeAttributes node, string path)
    {
        if (node.SizeBytes == 0)
        {
            return;
        }
        Require(LinuxFiles.OpenAt(directory, name, OpenFlags.ReadOnly | OpenFlags.NonBlock, out int fd), path, name);
        try
        {
            ulong size = node.SizeBytes;
            foreach ((ulong start, ulong length) in DataRanges(fd, size))
            {
                ulong got = importer.Data.Write(ino, start, length, new FileRange(fd, start, importer, path, name).Fill);
                if (got < length)
                {
                    importer.Warn($"{path}/{Text.Of(name)} became shorter while it was read");
                    break;
                }
            }
        }
        finally
        {
            Linux.Close(fd);
        }
    }

    // Ranges with data, widened to whole blocks; what SEEK_DATA does not know is all data.
    private static IEnumerable<(ulong Start, ulong Length)> DataRanges(int fd, ulong size)
    {
        const ulong Block = LakeFormat.BlockSize;
        ulong at = 0;
        while (at < size)
        {
            Errno error = LinuxFiles.SeekData(fd, (long)at, out long data);
            if (error == Errno.ENXIO)
            {
                yield break;
            }
            if (error != Errno.None || LinuxFiles.SeekHole(fd, data, out long hole) != Errno.None)
            {
                data = (long)at;
                hole = (long)size;
            }
            ulong start = Math.Max(at, (ulong)data / Block * Block);
            ulong end = Math.Min(size, ((ulong)hole + Block - 1) / Block * Block);
            if (end <= start)
            {
                yield break;
            }
            yield return (start, end - start);
            at = end;
        }
    }

    private static NodeAttributes Attributes(in FileStatus status, IReadOnlyList<Xattr> xattrs) => new()
    {
        Mode = status.Mode,
        Uid = status.Uid,
        Gid = status.Gid,
        RdevMajor = status.RdevMajor,
        RdevMinor = status.RdevMinor,
        SizeBytes = status.SizeBytes,
        Atime = status.Atime,
        Mtime = status.Mtime,
        Xattrs = xattrs,
    };

    // Sorted by their bytes, so that two runs see the same order.
    private static List<byte[]> ReadNames(int directory, string path)
    {
        var names = new List<byte[]>();
        var buffer = new byte[DirectoryBufferBytes];
        while (true)
        {
            Require(LinuxFiles.ReadDirectory(directory, buffer, out int length), path);
            if (length == 0)
            {
                break;
            }
            for (int at = 0; at < length; at += BinaryPrimitives.ReadUInt16LittleEndian(buffer.AsSpan(at + DirentLengthOffset)))
            {
                ReadOnlySpan<byte> name = buffer.AsSpan(at + DirentNameOffset);
                name = name[..name.IndexOf((byte)0)];
                if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
                {
                    names.Add([.. name, 0]);
                }
            }
        }
        names.Sort((a, b) => a.AsSpan().SequenceCompareTo(b));
        return names;
    }

    private static void Require(Errno error, string path, byte[]? name = null)
    {
        if (error != Errno.None)
        {
            string what = name is null ? path : $"{path}/{Text.Of(name)}";
            string next = error is Errno.EACCES or Errno.EPERM ? "run the import as root, or with sudo" : "check the source";
            throw new CommandException(error == Errno.ENOENT ? ErrorCode.ErrorNotFound : ErrorCode.ErrorGeneral, $"{what}: {Linux.Describe(error)}", next);
        }
    }

    /// <summary>Reads one range of a file, front to back.</summary>
    private sealed class FileRange
    {
        private readonly int _fd;
        private readonly TreeImporter _importer;
        private readonly string _path;
        private readonly byte[] _name;

        internal FileRange(int fd, ulong start, TreeImporter importer, string path, byte[] name)
        {
            (_fd, _importer, _path, _name) = (fd, importer, path, name);
            Require(LinuxFiles.SeekTo(fd, (long)start), path, name);
        }

        internal int Fill(Span<byte> buffer)
        {
            _importer.Step(0, 0, () => _path + "/" + Text.Of(_name));
            Require(Linux.Read(_fd, buffer, out int got), _path, _name);
            return got;
        }
    }
}
