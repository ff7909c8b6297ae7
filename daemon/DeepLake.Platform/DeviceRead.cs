// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Platform;

/// <summary>One of several reads that are asked for together.</summary>
public unsafe struct DeviceRead
{
    /// <summary>Where the bytes go; memory that does not move meanwhile.</summary>
    public byte* Buffer;

    public int Bytes;

    /// <summary>On the device, in bytes.</summary>
    public long Offset;

    /// <summary>Out: all of it was read.</summary>
    public bool IsDone;
}
