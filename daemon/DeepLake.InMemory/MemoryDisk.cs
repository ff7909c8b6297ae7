// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Storage;

namespace DeepLake.InMemory;

/// <summary>
/// A device in memory with a write cache that a power cut empties: what was written since the last flush is
/// as before then.
/// </summary>
internal sealed class MemoryDisk(long lengthBytes) : IBlockDevice
{
    private readonly MemoryBlockDevice _inner = new(lengthBytes);

    // What was there at the last flush; null: zeros.
    private readonly Dictionary<long, byte[]?> _before = [];

    public long LengthBytes => _inner.LengthBytes;

    public void Read(Span<byte> buffer, long offset) => _inner.Read(buffer, offset);

    public void Write(ReadOnlySpan<byte> buffer, long offset)
    {
        if (buffer.IsEmpty || offset < 0 || offset > LengthBytes - buffer.Length)
        {
            _inner.Write(buffer, offset); // which says what is wrong
            return;
        }

        long last = (offset + buffer.Length - 1) / LakeFormat.BlockSize;
        for (long block = offset / LakeFormat.BlockSize; block <= last; block++)
        {
            Keep(block);
        }

        _inner.Write(buffer, offset);
    }

    public void Flush() => _before.Clear();

    public void CutPower()
    {
        byte[] zeros = new byte[LakeFormat.BlockSize];
        foreach ((long block, byte[]? bytes) in _before)
        {
            _inner.Write(bytes ?? zeros, block * LakeFormat.BlockSize);
        }

        _before.Clear();
    }

    /// <summary>A bit changes where it lies.</summary>
    public void FlipBit(long offset)
    {
        Span<byte> one = stackalloc byte[1];
        _inner.Read(one, offset);
        one[0] ^= 1;
        _inner.Write(one, offset);
    }

    public void Dispose() => _inner.Dispose();

    private void Keep(long block)
    {
        if (_before.ContainsKey(block))
        {
            return;
        }

        byte[] bytes = new byte[LakeFormat.BlockSize];
        _inner.Read(bytes, block * LakeFormat.BlockSize);
        _before.Add(block, bytes.AsSpan().ContainsAnyExcept((byte)0) ? bytes : null);
    }
}
