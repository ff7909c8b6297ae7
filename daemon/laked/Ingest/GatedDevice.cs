// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Laked.Ingest;

/// <summary>
/// A device that can be closed to a thread which does not know yet: after <see cref="Close"/> has returned
/// nothing of it is under way, and nothing comes any more. After an unmount the device may be somebody
/// else's. It knows for how long it has been used.
/// </summary>
internal sealed class GatedDevice(IBlockDevice device) : IBlockDevice
{
    // kernels before 6.10 count each tick of their clock (4 ms) in which something began, whole
    private static readonly long Grain = Stopwatch.Frequency / 250;

    private readonly Lock _gate = new();
    private bool _isClosed;
    private long _busyTicks;

    public long LengthBytes => device.LengthBytes;

    /// <summary>How long calls have been under way in all, each counted as the kernel counts at worst.</summary>
    public TimeSpan BusyTime => Stopwatch.GetElapsedTime(0, Volatile.Read(ref _busyTicks));

    public void Read(Span<byte> buffer, long offset)
    {
        lock (_gate)
        {
            long began = Enter();
            device.Read(buffer, offset);
            Leave(began);
        }
    }

    public void Write(ReadOnlySpan<byte> buffer, long offset)
    {
        lock (_gate)
        {
            long began = Enter();
            device.Write(buffer, offset);
            Leave(began);
        }
    }

    public void Flush()
    {
        lock (_gate)
        {
            long began = Enter();
            device.Flush();
            Leave(began);
        }
    }

    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
        }
    }

    public void Dispose()
    {
        Close();
        device.Dispose();
    }

    private long Enter()
    {
        if (_isClosed)
        {
            throw new StorageException(Errno.ESTALE, "the lake is not served any more");
        }

        return Stopwatch.GetTimestamp();
    }

    private void Leave(long began) => Volatile.Write(ref _busyTicks, _busyTicks + Grain + Stopwatch.GetTimestamp() - began);
}
