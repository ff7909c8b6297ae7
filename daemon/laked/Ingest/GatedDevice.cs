// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Laked.Ingest;

/// <summary>
/// A device that can be closed to a thread which does not know yet: after <see cref="Close"/> has returned
/// nothing of it is under way, and nothing comes any more. After an unmount the device may be somebody
/// else's.
/// </summary>
internal sealed class GatedDevice(IBlockDevice device) : IBlockDevice
{
    private readonly Lock _gate = new();
    private bool _isClosed;

    public long LengthBytes => device.LengthBytes;

    public void Read(Span<byte> buffer, long offset)
    {
        lock (_gate)
        {
            Enter();
            device.Read(buffer, offset);
        }
    }

    public void Write(ReadOnlySpan<byte> buffer, long offset)
    {
        lock (_gate)
        {
            Enter();
            device.Write(buffer, offset);
        }
    }

    public void Flush()
    {
        lock (_gate)
        {
            Enter();
            device.Flush();
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

    private void Enter()
    {
        if (_isClosed)
        {
            throw new StorageException(Errno.ESTALE, "the lake is not served any more");
        }
    }
}
