// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Client;
using DeepLake.Hash;
using DeepLake.Platform;

namespace DeepLake.InMemory;

/// <summary>The content of files.</summary>
public sealed partial class InMemoryLake
{
    private const int ChunkBlocks = FileReader.WindowBlocks;
    private const int ChunkBytes = ChunkBlocks * BlockBytes;

    /// <summary>Gives a file this content; it is made (mode 0644) when there is none. A file that exists keeps its names and attributes.</summary>
    /// <exception cref="LakeException">ENOSPC: the new content has to fit beside the old; EISDIR.</exception>
    public void WriteFile(string path, ReadOnlySpan<byte> content)
    {
        Place place = BeginWrite(path);
        using var staged = new StagedBlocks(Client, Disk, path);
        staged.Reserve(BlocksOf(content.Length));
        int whole = content.Length / BlockBytes * BlockBytes;
        staged.Write(0, content[..whole]);
        if (whole < content.Length)
        {
            byte[] last = new byte[BlockBytes];
            content[whole..].CopyTo(last);
            staged.Write((ulong)(whole / BlockBytes), last);
        }

        Replace(place, staged, content.Length);
    }

    /// <inheritdoc cref="WriteFile(string, ReadOnlySpan{byte})"/>
    /// <remarks>The stream is read to its end before anything is changed; what it throws comes through.</remarks>
    public void WriteFile(string path, Stream content)
    {
        ArgumentNullException.ThrowIfNull(content);
        Place place = BeginWrite(path);
        using var staged = new StagedBlocks(Client, Disk, path);
        byte[] chunk = new byte[ChunkBytes];
        long length = 0;
        int got;
        do
        {
            got = content.ReadAtLeast(chunk, chunk.Length, throwOnEndOfStream: false);
            int bytes = (int)BlocksOf(got) * BlockBytes;
            chunk.AsSpan(got, bytes - got).Clear();
            staged.Reserve(BlocksOf(got));
            staged.Write((ulong)(length / BlockBytes), chunk.AsSpan(0, bytes));
            length += got;
        }
        while (got == chunk.Length);
        Replace(place, staged, length);
    }

    /// <summary>
    /// Writes a range of a file, which is made when there is none, and grows when the range goes beyond its end;
    /// between its old end and the range is a hole. The blocks of the range are written anew, elsewhere.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="offsetBytes">Where it begins.</param>
    /// <param name="bytes">What to write.</param>
    /// <exception cref="LakeException">EINVAL: a negative offset; EFBIG; EISDIR; ENOSPC.</exception>
    /// <exception cref="DamagedFileException">A block of which a part is to stay is damaged.</exception>
    public void WriteAt(string path, long offsetBytes, ReadOnlySpan<byte> bytes)
    {
        Place place = BeginWrite(path);
        if (offsetBytes < 0)
        {
            throw Error(Errno.EINVAL, path, $"the offset {offsetBytes} is negative");
        }

        if (offsetBytes > long.MaxValue - BlockBytes - bytes.Length)
        {
            throw Error(Errno.EFBIG, path, "a file cannot be that large");
        }

        using var staged = new StagedBlocks(Client, Disk, path);
        if (!bytes.IsEmpty)
        {
            Stage(staged, place.Inode?.Ino, path, offsetBytes, bytes);
        }

        ulong ino = place.Inode?.Ino ?? CreateFile(place);
        staged.MapTo(ino, (ulong)(offsetBytes + bytes.Length));
    }

    /// <summary>Writes behind the end of a file, which is made when there is none.</summary>
    /// <inheritdoc cref="WriteAt" path="/exception"/>
    public void Append(string path, ReadOnlySpan<byte> bytes)
    {
        InodeRecord? inode = Resolve(path, follow: true).Inode;
        WriteAt(path, inode is { } file && FileType.IsRegular(file.Mode) ? (long)file.Size : 0, bytes);
    }

    /// <summary>Cuts a file, or lengthens it by a hole.</summary>
    /// <exception cref="LakeException">EINVAL: a negative size; EFBIG; EISDIR; ENOSPC: a cut within a block writes that anew.</exception>
    /// <exception cref="DamagedFileException">The block that is cut is damaged.</exception>
    public void Truncate(string path, long sizeBytes)
    {
        Begin(path);
        InodeRecord inode = FindFile(path);
        if (sizeBytes is < 0 or > long.MaxValue - BlockBytes)
        {
            throw Error(sizeBytes < 0 ? Errno.EINVAL : Errno.EFBIG, path, $"a file cannot have {sizeBytes} bytes");
        }

        using var staged = new StagedBlocks(Client, Disk, path);
        int kept = (int)(sizeBytes % BlockBytes);
        ulong block = (ulong)(sizeBytes / BlockBytes);
        if (kept != 0 && (ulong)sizeBytes < inode.Size && Lake.Reader.NextMapped(inode.Ino, block) == block)
        {
            // what is behind the new end would come back when the file grows
            byte[] last = new byte[BlockBytes];
            Lake.Reader.Read(inode.Ino, path, block * BlockBytes, last);
            if (last.AsSpan(kept).ContainsAnyExcept((byte)0))
            {
                last.AsSpan(kept).Clear();
                staged.Reserve(1);
                staged.Write(block, last);
            }
        }

        staged.MapTo(inode.Ino, 0);
        SetSize(inode.Ino, sizeBytes);
    }

    /// <summary>All of a file. Each block is compared with its checksum.</summary>
    /// <exception cref="LakeException">EISDIR; EFBIG: more than an array can have.</exception>
    /// <exception cref="DamagedFileException">A block does not match.</exception>
    public byte[] ReadFile(string path)
    {
        InodeRecord inode = FindFile(path);
        if (inode.Size > (ulong)Array.MaxLength)
        {
            throw Error(Errno.EFBIG, path, $"{inode.Size} bytes are too many for an array; use OpenRead");
        }

        byte[] content = new byte[inode.Size];
        Lake.Reader.Read(inode.Ino, path, 0, content);
        return content;
    }

    /// <summary>A part of a file; how many bytes that were, fewer at its end.</summary>
    /// <exception cref="LakeException">EINVAL: a negative offset; EISDIR.</exception>
    /// <exception cref="DamagedFileException">A block does not match its checksum.</exception>
    public int ReadAt(string path, long offsetBytes, Span<byte> target)
    {
        InodeRecord inode = FindFile(path);
        return offsetBytes >= 0
            ? ReadRange(inode, path, offsetBytes, target)
            : throw Error(Errno.EINVAL, path, $"the offset {offsetBytes} is negative");
    }

    /// <summary>
    /// A stream that reads a file, as it is at each read, under whatever name. When the file is gone a read is a
    /// <see cref="LakeException"/> with the reason ESTALE.
    /// </summary>
    /// <exception cref="LakeException">EISDIR.</exception>
    public Stream OpenRead(string path)
    {
        InodeRecord inode = FindFile(path);
        return new LakeReadStream(this, path, inode.Ino, inode.Generation);
    }

    /// <summary>The BLAKE3 hash of a file's content, in hexadecimal, as b3sum prints it. The file is read for it.</summary>
    /// <exception cref="LakeException">EISDIR.</exception>
    /// <exception cref="DamagedFileException">A block does not match its checksum.</exception>
    public string HashOf(string path)
    {
        InodeRecord inode = FindFile(path);
        var hasher = new Blake3Hasher();
        byte[] chunk = new byte[ChunkBytes];
        ulong at = 0;
        while (at < inode.Size)
        {
            ulong mapped = Lake.Reader.NextMapped(inode.Ino, at / BlockBytes);
            ulong data = mapped > inode.Size / BlockBytes ? inode.Size : Math.Max(at, mapped * BlockBytes);
            hasher.AppendZeros((long)(data - at));
            int count = (int)Math.Min(inode.Size - data, (ulong)chunk.Length);
            Lake.Reader.Read(inode.Ino, path, data, chunk.AsSpan(0, count));
            hasher.Append(chunk.AsSpan(0, count));
            at = data + (ulong)count;
        }

        return hasher.Finish().ToString();
    }

    /// <summary>The file of an open stream.</summary>
    internal InodeRecord Reopen(string path, ulong ino, uint generation) =>
        Client.TryGetInode(ino, out InodeRecord inode) && inode.Generation == generation
            ? inode
            : throw Error(Errno.ESTALE, path, "the file that was opened is gone");

    internal int ReadRange(in InodeRecord inode, string path, long offset, Span<byte> target)
    {
        int count = (int)Math.Clamp((long)inode.Size - offset, 0, target.Length);
        Lake.Reader.Read(inode.Ino, path, (ulong)offset, target[..count]);
        return count;
    }

    private static ulong BlocksOf(long bytes) => ((ulong)bytes + BlockBytes - 1) / BlockBytes;

    private Place BeginWrite(string path)
    {
        Begin(path, grows: true);
        Place place = Resolve(path, follow: true);
        if (place.Inode is { } inode)
        {
            RequireFile(inode, path);
        }
        else if (path.EndsWith('/'))
        {
            throw Error(Errno.EISDIR, path, "only a directory has a name that ends with a slash");
        }

        return place;
    }

    /// <summary>Writes a range to new blocks; what the file has beside it in the first and the last of them is kept.</summary>
    private void Stage(StagedBlocks staged, ulong? ino, string path, long offset, ReadOnlySpan<byte> bytes)
    {
        long end = offset + bytes.Length;
        ulong first = (ulong)offset / BlockBytes;
        ulong last = BlocksOf(end);
        staged.Reserve(last - first);
        byte[] chunk = new byte[ChunkBytes];
        for (ulong at = first; at < last; at += ChunkBlocks)
        {
            int blocks = (int)Math.Min(ChunkBlocks, last - at);
            long start = (long)at * BlockBytes;
            long chunkEnd = start + ((long)blocks * BlockBytes);
            chunk.AsSpan().Clear();
            if (ino is { } file && offset > start)
            {
                Lake.Reader.Read(file, path, at * BlockBytes, chunk.AsSpan(0, BlockBytes));
            }

            if (ino is { } same && end < chunkEnd)
            {
                Lake.Reader.Read(same, path, (at + (ulong)blocks - 1) * BlockBytes, chunk.AsSpan((blocks - 1) * BlockBytes, BlockBytes));
            }

            long from = Math.Max(start, offset);
            long to = Math.Min(chunkEnd, end);
            bytes[(int)(from - offset)..(int)(to - offset)].CopyTo(chunk.AsSpan((int)(from - start)));
            staged.Write(at, chunk.AsSpan(0, blocks * BlockBytes));
        }
    }

    private void Replace(Place place, StagedBlocks staged, long length)
    {
        ulong ino = place.Inode?.Ino ?? CreateFile(place);
        staged.MapTo(ino, (ulong)length);
        if (place.Inode is not null)
        {
            SetSize(ino, length);
        }
    }

    private ulong CreateFile(Place place) => Client.Create(place.Dir, place.Name, new NodeAttributes { Mode = NewFileMode }, []);

    private void SetSize(ulong ino, long size) => Client.SetAttributes(
        ino,
        AttrMask.Size | AttrMask.Mtime | AttrMask.Ctime,
        new NodeAttributes { Mode = 0, SizeBytes = (ulong)size, Mtime = Client.Now() });
}
