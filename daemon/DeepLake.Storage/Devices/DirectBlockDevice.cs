// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Platform;

namespace DeepLake.Storage;

/// <summary>
/// A block device or image file through O_DIRECT, so that nothing is kept in a page cache that the
/// kernel side does not see. Memory or ranges that are not 4096-aligned go through a bounce buffer.
/// </summary>
public sealed unsafe class DirectBlockDevice : IBlockDevice
{
    private const int BounceBytes = 256 * 1024;

    private delegate bool AlignedRead(Span<byte> buffer, long offset);

    private readonly Lock _bounceLock = new();
    private AsyncReads? _async;
    private bool _hasNoAsync;
    private readonly string _path;
    private AlignedBuffer? _bounce;
    private StorageException? _failure;
    private int _fd;

    private DirectBlockDevice(string path, int fd, long lengthBytes, bool readOnly, bool isDirect)
    {
        _path = path;
        _fd = fd;
        LengthBytes = lengthBytes;
        IsReadOnly = readOnly;
        IsDirect = isDirect;
    }

    public long LengthBytes { get; }

    public bool IsReadOnly { get; }

    /// <summary>False when the file system of an image file refuses O_DIRECT (then the page cache is used).</summary>
    public bool IsDirect { get; }

    /// <summary>For flock and for ioctls; the device keeps ownership.</summary>
    public int FileDescriptor => _fd;

    /// <summary>
    /// Opens a device or image. <paramref name="exclusive"/> asks the kernel to refuse a block device
    /// that is mounted or held by someone else (EBUSY).
    /// </summary>
    public static DirectBlockDevice Open(string path, bool readOnly = false, bool exclusive = false)
    {
        OpenFlags flags = readOnly ? OpenFlags.ReadOnly : OpenFlags.ReadWrite;
        if (exclusive)
        {
            flags |= OpenFlags.Exclusive;
        }
        bool direct = true;
        Errno error = Linux.Open(path, flags | OpenFlags.Direct, out int fd);
        if (error == Errno.EINVAL)
        {
            direct = false;
            error = Linux.Open(path, flags, out fd);
        }
        if (error != Errno.None)
        {
            throw new StorageException(error, $"cannot open {path}: {Linux.Describe(error)}");
        }
        if (!readOnly && Linux.IsReadOnlyDevice(fd))
        {
            Linux.Close(fd);
            throw new StorageException(Errno.EROFS, $"cannot write to {path}: the device is read-only");
        }
        error = Linux.SizeBytes(fd, out long bytes);
        if (error != Errno.None)
        {
            Linux.Close(fd);
            throw new StorageException(error, $"cannot find the size of {path}: {Linux.Describe(error)}");
        }
        return new DirectBlockDevice(path, fd, DeviceBounds.AlignDown(bytes), readOnly, direct);
    }

    /// <summary>Creates (or keeps) an image file of this size, with its blocks unallocated.</summary>
    public static DirectBlockDevice CreateImage(string path, long lengthBytes)
    {
        Errno error = Linux.Open(path, OpenFlags.ReadWrite | OpenFlags.Create, out int fd, 0x1a4);
        if (error == Errno.None)
        {
            error = Linux.Truncate(fd, lengthBytes);
            Linux.Close(fd);
        }
        if (error != Errno.None)
        {
            throw new StorageException(error, $"cannot create {path}: {Linux.Describe(error)}");
        }
        return Open(path);
    }

    public void Read(Span<byte> buffer, long offset)
    {
        Enter(offset, buffer.Length);
        if (IsAligned(buffer, offset))
        {
            ReadAligned(buffer, offset);
            return;
        }
        lock (_bounceLock)
        {
            ReadBounced(buffer, offset, ReadAligned);
        }
    }

    public bool TryRead(Span<byte> buffer, long offset)
    {
        Enter(offset, buffer.Length);
        if (IsAligned(buffer, offset))
        {
            return TryReadAligned(buffer, offset);
        }
        lock (_bounceLock)
        {
            return ReadBounced(buffer, offset, TryReadAligned);
        }
    }

    public void ReadMany(Span<DeviceRead> reads)
    {
        Enter(0, 0);
        lock (_bounceLock)
        {
            while (reads.Length > 0)
            {
                Span<DeviceRead> some = reads[..Math.Min(reads.Length, AsyncReads.Depth)];
                ReadSome(some);
                reads = reads[some.Length..];
            }
        }
    }

    public void Write(ReadOnlySpan<byte> buffer, long offset)
    {
        Enter(offset, buffer.Length);
        if (IsReadOnly)
        {
            throw new StorageException(Errno.EROFS, $"{_path} is open for reading only");
        }
        if (IsAligned(buffer, offset))
        {
            Latch(Linux.WriteFullyAt(_fd, buffer, offset), "write", offset, buffer.Length);
            return;
        }
        lock (_bounceLock)
        {
            WriteBounced(buffer, offset);
        }
    }

    public void Flush()
    {
        Enter(0, 0);
        Latch(Linux.DataSync(_fd), "flush", 0, 0);
    }

    public void Dispose()
    {
        if (_fd >= 0)
        {
            Linux.Close(_fd);
            _fd = -1;
        }
        _bounce?.Dispose();
        _bounce = null;
        _async?.Dispose();
        _async = null;
    }

    private void ReadSome(Span<DeviceRead> reads)
    {
        foreach (DeviceRead read in reads)
        {
            DeviceBounds.Check(LengthBytes, read.Offset, read.Bytes);
        }
        if (_async is null && !_hasNoAsync)
        {
            _async = AsyncReads.TryCreate();
            _hasNoAsync = _async is null;
        }
        if (_async is null)
        {
            DeviceReads.OneByOne(this, reads);
            return;
        }
        _async.Run(_fd, reads);
    }

    private bool IsAligned(ReadOnlySpan<byte> buffer, long offset)
    {
        if (!IsDirect)
        {
            return true;
        }
        fixed (byte* p = buffer)
        {
            return DeviceBounds.IsAligned(offset) && DeviceBounds.IsAligned(buffer.Length) && DeviceBounds.IsAligned((nint)p);
        }
    }

    private bool ReadAligned(Span<byte> buffer, long offset)
    {
        Latch(Linux.ReadFullyAt(_fd, buffer, offset), "read", offset, buffer.Length);
        return true;
    }

    // What is no failure of the medium latches here, too.
    private bool TryReadAligned(Span<byte> buffer, long offset)
    {
        Errno error = Linux.ReadFullyAt(_fd, buffer, offset);
        if (error != Errno.None && StorageException.Io(error, "read", offset, buffer.Length).IsMediaError)
        {
            return false;
        }
        Latch(error, "read", offset, buffer.Length);
        return true;
    }

    private bool ReadBounced(Span<byte> buffer, long offset, AlignedRead read)
    {
        _bounce ??= new AlignedBuffer(BounceBytes);
        while (buffer.Length > 0)
        {
            long start = DeviceBounds.AlignDown(offset);
            int skip = (int)(offset - start);
            int take = Math.Min(buffer.Length, BounceBytes - skip);
            Span<byte> window = _bounce.Slice(0, (int)DeviceBounds.AlignUp(skip + take));
            if (!read(window, start))
            {
                return false;
            }
            window.Slice(skip, take).CopyTo(buffer);
            buffer = buffer[take..];
            offset += take;
        }
        return true;
    }

    // The edges of an unaligned range are read, changed and written back: the caller owns whole blocks.
    private void WriteBounced(ReadOnlySpan<byte> buffer, long offset)
    {
        _bounce ??= new AlignedBuffer(BounceBytes);
        while (buffer.Length > 0)
        {
            long start = DeviceBounds.AlignDown(offset);
            int skip = (int)(offset - start);
            int take = Math.Min(buffer.Length, BounceBytes - skip);
            Span<byte> window = _bounce.Slice(0, (int)DeviceBounds.AlignUp(skip + take));
            if (skip != 0 || take != window.Length)
            {
                Latch(Linux.ReadFullyAt(_fd, window, start), "read", start, window.Length);
            }
            buffer[..take].CopyTo(window[skip..]);
            Latch(Linux.WriteFullyAt(_fd, window, start), "write", start, window.Length);
            buffer = buffer[take..];
            offset += take;
        }
    }

    private void Enter(long offset, int count)
    {
        ObjectDisposedException.ThrowIf(_fd < 0, this);
        if (_failure is { } failure)
        {
            throw new StorageException(failure.Errno, $"{_path} failed earlier: {failure.Message}", failure);
        }
        DeviceBounds.Check(LengthBytes, offset, count);
    }

    private void Latch(Errno error, string operation, long offset, int count)
    {
        if (error != Errno.None)
        {
            _failure = StorageException.Io(error, $"{_path}: {operation}", offset, count);
            throw _failure;
        }
    }
}
