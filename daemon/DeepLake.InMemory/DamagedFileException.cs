// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;

namespace DeepLake.InMemory;

/// <summary>Bytes of a file are not what was written: they do not match their checksum. The reason is EIO.</summary>
public sealed class DamagedFileException : LakeException
{
    public DamagedFileException(string path, long offsetBytes, int lengthBytes)
        : base(Errno.EIO, path, $"the bytes {offsetBytes} to {offsetBytes + lengthBytes - 1} are damaged: they do not match their checksum")
    {
        OffsetBytes = offsetBytes;
        LengthBytes = lengthBytes;
    }

    /// <summary>Where the first damaged block that was met begins in the file.</summary>
    public long OffsetBytes { get; }

    public int LengthBytes { get; }
}
