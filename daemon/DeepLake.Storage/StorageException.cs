// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;

namespace DeepLake.Storage;

/// <summary>
/// The device failed, is full, or holds something that is not ours. After a device error the object
/// that threw is latched: every later call throws the same error, so nothing is published on top of it.
/// </summary>
public sealed class StorageException : Exception
{
    public StorageException(Errno errno, string message)
        : base(message) => Errno = errno;

    public StorageException(Errno errno, string message, Exception inner)
        : base(message, inner) => Errno = errno;

    public Errno Errno { get; }

    /// <summary>The bytes on the device contradict their checksum or their structure.</summary>
    public bool IsCorruption => Errno == Errno.EUCLEAN;

    /// <summary>The medium has lost what was asked for: another part of the device may be readable, and this one may be again when it is written.</summary>
    public bool IsMediaError => Errno is Errno.EIO or Errno.ENODATA or Errno.EBADMSG or Errno.ETIMEDOUT;

    /// <param name="what">A sentence: what is damaged, and where.</param>
    public static StorageException Corruption(string what) => new(Errno.EUCLEAN, what);

    public static StorageException Io(Errno errno, string operation, long offset, int bytes) =>
        new(errno, $"{operation} of {bytes} bytes at {offset} failed: {Linux.Describe(errno)}");
}
