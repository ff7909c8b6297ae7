// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Storage;

/// <summary>A device in memory, for tests and simulation; unwritten chunks cost nothing and read as zeros.</summary>
public sealed class MemoryBlockDevice : IBlockDevice
{
    private const int ChunkBytes = 256 * 1024;

    private readonly byte[]?[] _chunks;

    public MemoryBlockDevice(long lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(lengthBytes);
        LengthBytes = lengthBytes;
        _chunks = new byte[]?[(lengthBytes + ChunkBytes - 1) / ChunkBytes];
    }

    public long LengthBytes { get; }

    public void Read(Span<byte> buffer, long offset)
    {
        DeviceBounds.Check(LengthBytes, offset, buffer.Length);
        while (buffer.Length > 0)
        {
            int within = (int)(offset % ChunkBytes);
            int take = Math.Min(buffer.Length, ChunkBytes - within);
            byte[]? chunk = _chunks[offset / ChunkBytes];
            if (chunk == null)
            {
                buffer[..take].Clear();
            }
            else
            {
                chunk.AsSpan(within, take).CopyTo(buffer);
            }
            buffer = buffer[take..];
            offset += take;
        }
    }

    public void Write(ReadOnlySpan<byte> buffer, long offset)
    {
        DeviceBounds.Check(LengthBytes, offset, buffer.Length);
        while (buffer.Length > 0)
        {
            int within = (int)(offset % ChunkBytes);
            int take = Math.Min(buffer.Length, ChunkBytes - within);
            byte[] chunk = _chunks[offset / ChunkBytes] ??= new byte[ChunkBytes];
            buffer[..take].CopyTo(chunk.AsSpan(within));
            buffer = buffer[take..];
            offset += take;
        }
    }

    public void Flush()
    {
    }

    public void Dispose()
    {
    }
}
