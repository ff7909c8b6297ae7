// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Sim;

/// <summary>A device with blocks that cannot be read until they are written, and that latches as a real descriptor does.</summary>
internal sealed class BadBlocksDevice(IBlockDevice inner) : IBlockDevice
{
    private StorageException? _failure;

    /// <summary>Numbers of blocks of 4096 bytes.</summary>
    public HashSet<ulong> Bad { get; } = [];

    public long LengthBytes => inner.LengthBytes;

    public void Read(Span<byte> buffer, long offset)
    {
        if (!TryRead(buffer, offset))
        {
            throw _failure = StorageException.Io(Errno.EIO, "read", offset, buffer.Length);
        }
    }

    public bool TryRead(Span<byte> buffer, long offset)
    {
        ThrowIfFailed();
        for (long block = offset / 4096; block * 4096 < offset + buffer.Length; block++)
        {
            if (Bad.Contains((ulong)block))
            {
                buffer.Fill(0xa5);
                return false;
            }
        }

        inner.Read(buffer, offset);
        return true;
    }

    public void Write(ReadOnlySpan<byte> buffer, long offset)
    {
        ThrowIfFailed();
        inner.Write(buffer, offset);
        for (long block = offset / 4096; block * 4096 < offset + buffer.Length; block++)
        {
            Bad.Remove((ulong)block);
        }
    }

    public void Flush()
    {
        ThrowIfFailed();
        inner.Flush();
    }

    public void Dispose()
    {
    }

    private void ThrowIfFailed()
    {
        if (_failure is { } failure)
        {
            throw failure;
        }
    }
}
