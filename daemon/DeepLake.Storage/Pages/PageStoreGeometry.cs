// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;

namespace DeepLake.Storage;

/// <summary>
/// Where on the device a page store lives: two index slots and one circular log. All in bytes, all
/// 4096-aligned; mkfs decides them and the superblock records them.
/// </summary>
public readonly record struct PageStoreGeometry(
    long IndexSlotAStart, long IndexSlotABytes, long IndexSlotBStart, long IndexSlotBBytes, long LogStart, long LogBytes)
{
    public const long MinLogBytes = 16L << 20;

    /// <summary>The smallest index slot that is always enough for a log region of this size.</summary>
    public static long RecommendedIndexSlotBytes(long logBytes)
    {
        long records = logBytes / PageFormat.PageBytes;
        // One eighth of a hash bucket of 64 bytes a record, and as much again for overflow buckets.
        return Math.Max(1L << 20, DeviceBounds.AlignUp(records * 16));
    }

    internal (long Start, long Bytes) IndexSlot(int slot) =>
        slot == 0 ? (IndexSlotAStart, IndexSlotABytes) : (IndexSlotBStart, IndexSlotBBytes);

    internal void Validate(long deviceBytes)
    {
        CheckRange(IndexSlotAStart, IndexSlotABytes, deviceBytes, "index slot A");
        CheckRange(IndexSlotBStart, IndexSlotBBytes, deviceBytes, "index slot B");
        CheckRange(LogStart, LogBytes, deviceBytes, "page log");
        if (LogBytes < MinLogBytes)
        {
            throw new StorageException(Errno.EINVAL, $"a page log of {LogBytes} bytes is too small");
        }
    }

    private static void CheckRange(long start, long bytes, long deviceBytes, string what)
    {
        if (start < 0 || bytes <= 0 || start > deviceBytes - bytes || !DeviceBounds.IsAligned(start) || !DeviceBounds.IsAligned(bytes))
        {
            throw new StorageException(Errno.EUCLEAN, $"the {what} cannot be at byte {start} of the device with {bytes} bytes: the device has {deviceBytes}");
        }
    }
}
