// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Storage.Faster;

/// <summary>
/// FASTER logs I/O errors and carries on, or waits for ever for the write that failed. So its devices
/// always report success and remember the first failure here; every call of the store asks.
/// </summary>
internal sealed class DeviceLatch
{
    private StorageException? _failure;

    internal bool HasFailed => Volatile.Read(ref _failure) != null;

    internal void Set(StorageException failure) => Interlocked.CompareExchange(ref _failure, failure, null);

    internal void ThrowIfFailed()
    {
        if (Volatile.Read(ref _failure) is { } failure)
        {
            throw new StorageException(failure.Errno, $"the page store has failed: {failure.Message}", failure);
        }
    }
}
