// SPDX-License-Identifier: MPL-2.0
using DeepLake.Storage;

namespace DeepLake.Laked.Serve;

/// <summary>
/// A device on a descriptor that is opened anew after a failure: the others of it latch their first one, and
/// here one bad sector must not hide the next, nor end more than what came to it.
/// </summary>
internal sealed class ReopenedDevice(Func<IBlockDevice> open) : IBlockDevice
{
    private IBlockDevice? _device = open();

    public long LengthBytes => Device.LengthBytes;

    private IBlockDevice Device => _device ??= open();

    public void Read(Span<byte> buffer, long offset)
    {
        try
        {
            Device.Read(buffer, offset);
        }
        catch (StorageException)
        {
            Dispose();
            throw;
        }
    }

    public void Write(ReadOnlySpan<byte> buffer, long offset)
    {
        try
        {
            Device.Write(buffer, offset);
        }
        catch (StorageException)
        {
            Dispose();
            throw;
        }
    }

    public void Flush() => Device.Flush();

    public void Dispose()
    {
        _device?.Dispose();
        _device = null;
    }
}
