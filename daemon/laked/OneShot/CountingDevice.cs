// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using DeepLake.Abi;
using DeepLake.Control;
using DeepLake.Laked.Control;
using DeepLake.Storage;

namespace DeepLake.Laked.OneShot;

/// <summary>Reads through, tells how far it has come, and ends when the person interrupts.</summary>
internal sealed class CountingDevice(IBlockDevice inner, ulong totalBlocks, Action<Response> send, CancellationToken cancellation) : IBlockDevice
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private ulong _bytes;
    private long _told = Stopwatch.GetTimestamp();

    public long LengthBytes => inner.LengthBytes;

    public void Read(Span<byte> buffer, long offset)
    {
        cancellation.ThrowIfCancellationRequested();
        inner.Read(buffer, offset);
        _bytes += (ulong)buffer.Length;
        if (Stopwatch.GetElapsedTime(_told) > Interval)
        {
            _told = Stopwatch.GetTimestamp();
            send(Responses.Progress("reading data", _bytes, totalBlocks * LakeFormat.BlockSize, "bytes"));
        }
    }

    public bool IsUnreadable(long offset, long bytes) => inner.IsUnreadable(offset, bytes);

    public void Write(ReadOnlySpan<byte> buffer, long offset) => inner.Write(buffer, offset);

    public void Flush() => inner.Flush();

    public void Dispose()
    {
    }
}
