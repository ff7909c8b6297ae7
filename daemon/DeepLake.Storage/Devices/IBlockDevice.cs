// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;

namespace DeepLake.Storage;

/// <summary>
/// A block device or an image of one. Synchronous. Offsets and lengths that are multiples of 4096 are
/// the fast path. A completed write is visible to reads at once, and durable after the next
/// <see cref="Flush"/>; until then each 512-byte sector may hold the old or the new bytes after a power
/// cut. Failures are a <see cref="StorageException"/>, and latch.
/// </summary>
public interface IBlockDevice : IDisposable
{
    long LengthBytes { get; }

    void Read(Span<byte> buffer, long offset);

    /// <summary>Reads like <see cref="Read"/>, but a medium that fails is told by the result, and does not latch.</summary>
    /// <returns>False when it failed; the buffer may hold anything then.</returns>
    bool TryRead(Span<byte> buffer, long offset)
    {
        try
        {
            Read(buffer, offset);
            return true;
        }
        catch (StorageException failure) when (failure.IsMediaError)
        {
            return false;
        }
    }

    /// <summary>
    /// Whether a part of this could not be read when it was asked for, and what was given for it is zeros instead
    /// (<see cref="SalvagingDevice"/>).
    /// </summary>
    bool IsUnreadable(long offset, long bytes) => false;

    /// <summary>
    /// Several reads that the device may work on at once. One that fails is told so in it, and does not latch:
    /// these are for reading ahead.
    /// </summary>
    void ReadMany(Span<DeviceRead> reads) => DeviceReads.OneByOne(this, reads);

    void Write(ReadOnlySpan<byte> buffer, long offset);

    /// <summary>Makes every write that has completed durable.</summary>
    void Flush();
}
