// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.InMemory;

/// <summary>Reads a file of a lake, whatever becomes of its name.</summary>
internal sealed class LakeReadStream(InMemoryLake lake, string path, ulong ino, uint generation) : Stream
{
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => (long)lake.Reopen(path, ino, generation).Size;

    public override long Position
    {
        get => _position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _position = value;
        }
    }

    public override int Read(Span<byte> buffer)
    {
        InodeRecord inode = lake.Reopen(path, ino, generation);
        int got = lake.ReadRange(inode, path, _position, buffer);
        _position += got;
        return got;
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Read(buffer.AsSpan(offset, count));
    }

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => _position + offset,
        _ => Length + offset,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
