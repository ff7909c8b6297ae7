// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Client;
using DeepLake.Control;
using DeepLake.Laked.Control;
using DeepLake.Platform;

namespace DeepLake.Laked.Import;

/// <summary>The members of an archive. Directories get their times at the end, when nothing is put into them any more.</summary>
internal sealed class TarSource(TreeImporter importer, LakeClient lake, Stream stream, ulong totalBytes, Func<ulong>? position)
{
    private static readonly NodeAttributes ImplicitDirectory = new() { Mode = FileType.Directory | 0x1ed };

    private readonly TarReader _reader = new(stream);
    private readonly Dictionary<ulong, NodeAttributes> _directories = [];
    private NodeAttributes? _root;

    /// <summary>Whether this begins like an archive, so that anything else is refused before the lake is touched.</summary>
    internal static void CheckBegin(Stream stream)
    {
        var reader = new TarReader(stream);
        try
        {
            reader.Next();
        }
        catch (Exception e) when (e is InvalidDataException or OverflowException or ArchiveException or IOException)
        {
            throw Unreadable(e, reader);
        }
        RequireBytes(reader);
    }

    // What the unpacker of a compressed archive says has no words for its place; a source that fails is no fault of the archive.
    private static CommandException Unreadable(Exception e, TarReader reader) => e switch
    {
        ArchiveException known => new CommandException(ErrorCode.ErrorGeneral, known.Message, known.NextStep),
        IOException => new CommandException(
            ErrorCode.ErrorGeneral, $"the archive cannot be read on after {reader.PositionBytes} bytes: {e.Message}", "see the kernel log (dmesg) for errors of its device"),
        InvalidDataException { Source: "System.IO.Compression" } => Unreadable(
            ArchiveException.Damaged($"it cannot be unpacked ({e.Message.TrimEnd('.')})", reader.PositionBytes), reader),
        _ => new CommandException(
            ErrorCode.ErrorGeneral,
            e.Message,
            $"the member's header is at byte {reader.HeaderPosition}: see it with tar -tvf, and make the archive again without it (tar --exclude)"),
    };

    private static void RequireBytes(TarReader reader)
    {
        if (reader.PositionBytes == 0)
        {
            throw new CommandException(ErrorCode.ErrorGeneral, "the archive is empty: it has no bytes at all", "check the command or the file it comes from");
        }
    }

    internal void Run()
    {
        try
        {
            while (_reader.Next() is { } entry)
            {
                importer.Step(position?.Invoke() ?? _reader.PositionBytes, totalBytes, () => Text.Of(entry.Path));
                Take(entry);
            }
            CheckEnd();
        }
        catch (Exception e) when (e is InvalidDataException or OverflowException or ArchiveException or IOException)
        {
            // An interrupted caller closes the stream: that is no fault of the archive.
            importer.ThrowIfInterrupted();
            throw Unreadable(e, _reader);
        }
        foreach ((ulong ino, NodeAttributes node) in _directories)
        {
            importer.Finish(ino, node);
        }
        if (_root is not null)
        {
            importer.FinishRoot(_root);
        }
    }

    // The end of a pipe says nothing about the program at its other end: what it did not write is missing.
    private void CheckEnd()
    {
        importer.ThrowIfInterrupted();
        RequireBytes(_reader);
        importer.RequireEntries(_root is null ? "the archive has no members" : "the archive has no members but its root directory");
        if (!_reader.SawEndMark)
        {
            importer.Warn("the archive has no end mark; if it was cut off, what came after is missing");
        }
    }

    private void Take(TarEntry entry)
    {
        List<byte[]> path = Split(entry.Path);
        NodeAttributes node = entry.ToAttributes();
        if (path.Count == 0)
        {
            _root = node.IsDirectory ? node : _root;
            return;
        }
        importer.Begin();
        ulong parent = FindParent(path);
        byte[] name = path[^1];
        if (entry.IsHardLink)
        {
            importer.PlaceLink(parent, name, FindTarget(entry));
            return;
        }
        bool isNew = importer.Place(parent, name, node, node.IsSymlink ? CheckedTarget(entry) : default, out ulong ino);
        if (node.IsDirectory)
        {
            _directories[ino] = node;
        }
        else if (isNew)
        {
            if (node.IsRegular)
            {
                CopyData(entry, ino);
            }
            importer.Finish(ino, node);
        }
    }

    private void CopyData(TarEntry entry, ulong ino)
    {
        var content = new TarContent(_reader, entry);
        foreach ((ulong start, ulong length) in content.Ranges())
        {
            content.Begin(start);
            ulong got = importer.Data.Write(ino, start, length, buffer =>
            {
                importer.Step(position?.Invoke() ?? _reader.PositionBytes, totalBytes, () => Text.Of(entry.Path));
                return content.Fill(buffer);
            });
            if (got != length)
            {
                throw ArchiveException.CutOff($"inside {Text.Of(entry.Path)}", _reader.PositionBytes);
            }
        }
    }

    // Directories that the archive does not mention before their content are made.
    private ulong FindParent(List<byte[]> path)
    {
        ulong at = LakeFormat.RootIno;
        foreach (byte[] name in path.Take(path.Count - 1))
        {
            if (lake.TryLookup(at, name, out InodeRecord record))
            {
                if (!FileType.IsDirectory(record.Mode))
                {
                    throw new InvalidDataException($"{Text.Of(name)} is used as a directory, but is none");
                }
                at = record.Ino;
                continue;
            }
            LakeTime now = lake.Now();
            at = lake.Create(at, name, ImplicitDirectory with { Atime = now, Mtime = now }, default);
        }
        return at;
    }

    private ulong FindTarget(TarEntry entry)
    {
        ulong at = LakeFormat.RootIno;
        InodeRecord record = default;
        foreach (byte[] name in Split(entry.LinkPath))
        {
            if (!lake.TryLookup(at, name, out record))
            {
                throw new InvalidDataException($"{Text.Of(entry.Path)} is a hard link to {Text.Of(entry.LinkPath)}, which is not in the archive before it");
            }
            at = record.Ino;
        }
        return record.Ino == 0 || FileType.IsDirectory(record.Mode)
            ? throw new InvalidDataException($"{Text.Of(entry.Path)} is a hard link to a directory")
            : record.Ino;
    }

    private static byte[] CheckedTarget(TarEntry entry) => entry.LinkPath.Length is > 0 and <= LakeFormat.SymlinkMax
        ? entry.LinkPath
        : throw new InvalidDataException($"{Text.Of(entry.Path)} is a symbolic link with a target of {entry.LinkPath.Length} bytes");

    // Without empty parts and dots; a path that leads out of the tree is refused.
    private static List<byte[]> Split(byte[] path)
    {
        var parts = new List<byte[]>();
        ReadOnlySpan<byte> rest = path;
        while (!rest.IsEmpty)
        {
            int slash = rest.IndexOf((byte)'/');
            ReadOnlySpan<byte> part = slash < 0 ? rest : rest[..slash];
            rest = slash < 0 ? default : rest[(slash + 1)..];
            if (part.SequenceEqual(".."u8) || part.Length > LakeFormat.NameMax || part.Contains((byte)0))
            {
                throw new InvalidDataException($"the archive holds the impossible path {Text.Of(path)}");
            }
            if (!part.IsEmpty && !part.SequenceEqual("."u8))
            {
                parts.Add(part.ToArray());
            }
        }
        return parts;
    }
}
