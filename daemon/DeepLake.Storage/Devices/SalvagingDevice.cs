// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;

namespace DeepLake.Storage;

/// <summary>
/// Reads around what a medium has lost: blocks that cannot be read are given as zeros, which nothing that a lake
/// keeps twice, or that proves itself, is taken for; so they are damaged for whoever reads, and remembered. A block
/// that is written is readable again, as devices put another in its place. Data that nothing proves must not be read
/// through it. The inner device stays the caller's. Any thread.
/// </summary>
public sealed class SalvagingDevice(IBlockDevice inner) : IBlockDevice
{
    /// <summary>A device that has lost more than this, 64 MiB, or all, is not read to its end.</summary>
    public const int BlocksMost = 16384;

    private readonly Lock _lock = new();
    private readonly SortedSet<long> _unreadable = [];

    public long LengthBytes => inner.LengthBytes;

    /// <summary>Offsets of the blocks that could not be read, in bytes, in their order.</summary>
    public IReadOnlyList<long> Unreadable
    {
        get
        {
            lock (_lock)
            {
                return [.. _unreadable];
            }
        }
    }

    public void Read(Span<byte> buffer, long offset)
    {
        if (inner.TryRead(buffer, offset))
        {
            return;
        }
        using var block = new AlignedBuffer(DeviceBounds.BlockBytes);
        for (long at = DeviceBounds.AlignDown(offset); at < offset + buffer.Length; at += DeviceBounds.BlockBytes)
        {
            if (!inner.TryRead(block.Span, at))
            {
                block.Span.Clear();
                Remember(at, buffer.Length);
            }
            long from = Math.Max(at, offset);
            long to = Math.Min(at + DeviceBounds.BlockBytes, offset + buffer.Length);
            block.Slice((int)(from - at), (int)(to - from)).CopyTo(buffer[(int)(from - offset)..]);
        }
    }

    /// <summary>For reading ahead: what fails is left to who needs it.</summary>
    public void ReadMany(Span<DeviceRead> reads) => inner.ReadMany(reads);

    public bool IsUnreadable(long offset, long bytes)
    {
        lock (_lock)
        {
            return bytes > 0 && _unreadable.Count > 0
                && _unreadable.GetViewBetween(DeviceBounds.AlignDown(offset), offset + bytes - 1).Count > 0;
        }
    }

    public void Write(ReadOnlySpan<byte> buffer, long offset)
    {
        inner.Write(buffer, offset);
        lock (_lock)
        {
            for (long at = offset; at < offset + buffer.Length && _unreadable.Count > 0; at += DeviceBounds.BlockBytes)
            {
                _unreadable.Remove(DeviceBounds.AlignDown(at));
            }
        }
    }

    public void Flush() => inner.Flush();

    public void Dispose()
    {
    }

    private void Remember(long at, int wanted)
    {
        lock (_lock)
        {
            _unreadable.Add(at);
            if (_unreadable.Count > BlocksMost)
            {
                throw StorageException.Io(Errno.EIO, $"more than {BlocksMost} blocks cannot be read; the read", at, wanted);
            }
        }
    }
}
