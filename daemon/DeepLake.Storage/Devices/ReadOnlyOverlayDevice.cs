// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;

namespace DeepLake.Storage;

/// <summary>
/// Reads through to a device and keeps every write in memory, so that a checker can run the engine's
/// recovery on an unmounted lake without changing a byte of it. The inner device stays the caller's.
/// </summary>
public sealed class ReadOnlyOverlayDevice(IBlockDevice inner) : IBlockDevice
{
    private readonly Dictionary<long, byte[]> _written = [];

    public long LengthBytes => inner.LengthBytes;

    /// <summary>Blocks of 4096 bytes that recovery would have changed.</summary>
    public int WrittenBlocks => _written.Count;

    public void Read(Span<byte> buffer, long offset)
    {
        inner.Read(buffer, offset);
        Overlay(buffer, offset);
    }

    public bool TryRead(Span<byte> buffer, long offset)
    {
        if (!inner.TryRead(buffer, offset))
        {
            return false;
        }
        Overlay(buffer, offset);
        return true;
    }

    public bool IsUnreadable(long offset, long bytes)
    {
        for (long block = DeviceBounds.AlignDown(offset); block < offset + bytes; block += DeviceBounds.BlockBytes)
        {
            if (!_written.ContainsKey(block) && inner.IsUnreadable(block, DeviceBounds.BlockBytes))
            {
                return true;
            }
        }
        return false;
    }

    public unsafe void ReadMany(Span<DeviceRead> reads)
    {
        inner.ReadMany(reads);
        foreach (DeviceRead read in reads)
        {
            Overlay(new Span<byte>(read.Buffer, read.Bytes), read.Offset);
        }
    }

    private void Overlay(Span<byte> buffer, long offset)
    {
        if (_written.Count == 0)
        {
            return;
        }
        for (long block = DeviceBounds.AlignDown(offset); block < offset + buffer.Length; block += DeviceBounds.BlockBytes)
        {
            if (_written.TryGetValue(block, out byte[]? bytes))
            {
                long from = Math.Max(block, offset);
                long to = Math.Min(block + DeviceBounds.BlockBytes, offset + buffer.Length);
                bytes.AsSpan((int)(from - block), (int)(to - from)).CopyTo(buffer[(int)(from - offset)..]);
            }
        }
    }

    public void Write(ReadOnlySpan<byte> buffer, long offset)
    {
        DeviceBounds.Check(LengthBytes, offset, buffer.Length);
        for (long block = DeviceBounds.AlignDown(offset); block < offset + buffer.Length; block += DeviceBounds.BlockBytes)
        {
            if (!_written.TryGetValue(block, out byte[]? bytes))
            {
                bytes = new byte[DeviceBounds.BlockBytes];
                inner.Read(bytes.AsSpan(0, (int)Math.Min(bytes.Length, LengthBytes - block)), block);
                _written[block] = bytes;
            }
            long from = Math.Max(block, offset);
            long to = Math.Min(block + DeviceBounds.BlockBytes, offset + buffer.Length);
            buffer.Slice((int)(from - offset), (int)(to - from)).CopyTo(bytes.AsSpan((int)(from - block)));
        }
    }

    public void Flush()
    {
    }

    public void Dispose()
    {
    }
}
