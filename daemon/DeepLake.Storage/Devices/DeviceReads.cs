// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;

namespace DeepLake.Storage;

/// <summary>Reads ahead on a device that does one thing at a time.</summary>
internal static unsafe class DeviceReads
{
    internal static void OneByOne(IBlockDevice device, Span<DeviceRead> reads)
    {
        foreach (ref DeviceRead read in reads)
        {
            try
            {
                read.IsDone = device.TryRead(new Span<byte>(read.Buffer, read.Bytes), read.Offset);
            }
            catch (StorageException)
            {
                read.IsDone = false; // who needs it hears of it
            }
        }
    }
}
