// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Hash;

namespace DeepLake.Lakectl.Files;

/// <summary>
/// The hash of what an open file holds, read from where it is to its end: files, devices, pipes. Holes
/// are hashed without being read.
/// </summary>
/// <param name="progress">Called now and then with the bytes done and the file's size (0: not known).</param>
internal sealed unsafe class FileHasher(Action<ulong, ulong> progress)
{
    private const int BufferBytes = 256 << 10;
    private const long HoleStepBytes = 64 << 20;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);
    private readonly Blake3Hasher _hasher = new();
    private bool _hasPlaces;
    private long _size;
    private int _fd;

    /// <summary>Bytes hashed.</summary>
    internal long Bytes { get; private set; }

    /// <summary>The hash; null with the error's number when reading fails.</summary>
    internal Blake3Hash? Hash(int fd, out int error)
    {
        _fd = fd;
        _hasher.Reset();
        Bytes = 0;
        long size = LibC.LSeek(fd, 0, LibC.SeekEnd);
        _hasPlaces = size >= 0;
        _size = Math.Max(0, size);
        error = ReadAll();
        return error == 0 ? _hasher.Finish() : null;
    }

    private int ReadAll()
    {
        // The first bytes are read in any case: a file that is to be read has them, a directory has an error.
        int count = Fill(BufferBytes, out int error);
        bool isSparse = count == BufferBytes && _hasPlaces && _size > Bytes;
        while (error == 0 && isSparse && Bytes < _size)
        {
            isSparse = SkipHole(out long dataEnd);
            for (count = BufferBytes; error == 0 && count > 0 && Bytes < dataEnd;)
            {
                count = Fill((int)Math.Min(BufferBytes, dataEnd - Bytes), out error);
            }
            if (count == 0)
            {
                return error; // it became shorter
            }
            count = BufferBytes;
        }
        while (error == 0 && count == BufferBytes)
        {
            count = Fill(BufferBytes, out error);
        }
        return error;
    }

    // Hashes the hole that begins here, if one does; what follows up to `dataEnd` is data. False: holes are not told here.
    private bool SkipHole(out long dataEnd)
    {
        dataEnd = Bytes;
        long data = LibC.LSeek(_fd, Bytes, LibC.SeekData);
        if (data < 0)
        {
            if (Marshal.GetLastPInvokeError() != LibC.ErrorNoSuchDevice)
            {
                return false;
            }
            data = LibC.LSeek(_fd, 0, LibC.SeekEnd);
        }
        while (Bytes < data)
        {
            long step = Math.Min(HoleStepBytes, data - Bytes);
            _hasher.AppendZeros(step);
            Count(step);
        }
        long hole = LibC.LSeek(_fd, Bytes, LibC.SeekHole);
        dataEnd = hole < 0 ? Bytes : hole;
        return hole > Bytes || Bytes >= _size;
    }

    // Reads until there are `wanted` bytes or there is no more, and hashes them.
    private int Fill(int wanted, out int error)
    {
        int count = 0;
        error = 0;
        fixed (byte* buffer = _buffer)
        {
            while (count < wanted)
            {
                nint got = _hasPlaces
                    ? LibC.PRead(_fd, buffer + count, wanted - count, Bytes + count)
                    : LibC.Read(_fd, buffer + count, wanted - count);
                if (got == 0)
                {
                    break;
                }
                if (got < 0 && Marshal.GetLastPInvokeError() != LibC.ErrorInterrupted)
                {
                    error = Marshal.GetLastPInvokeError();
                    return 0;
                }
                count += (int)Math.Max(0, got);
            }
        }
        _hasher.Append(_buffer.AsSpan(0, count));
        Count(count);
        return count;
    }

    private void Count(long bytes)
    {
        Bytes += bytes;
        progress((ulong)Bytes, (ulong)_size);
    }
}
