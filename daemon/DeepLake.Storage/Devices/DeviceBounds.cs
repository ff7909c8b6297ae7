// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;

namespace DeepLake.Storage;

/// <summary>Range checks shared by the devices.</summary>
internal static class DeviceBounds
{
    internal const int BlockBytes = 4096;
    internal const int SectorBytes = 512;

    internal static void Check(long lengthBytes, long offset, int count)
    {
        if (offset < 0 || count > lengthBytes - offset)
        {
            throw new StorageException(Errno.ENXIO, $"{count} bytes at {offset} are outside the device of {lengthBytes} bytes");
        }
    }

    internal static bool IsAligned(long value) => (value & (BlockBytes - 1)) == 0;

    internal static long AlignDown(long value) => value & ~(BlockBytes - 1L);

    internal static long AlignUp(long value) => (value + BlockBytes - 1) & ~(BlockBytes - 1L);
}
