// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Storage;

/// <summary>Sizes of WAL frames; the header is <see cref="WalFrame"/> (docs/on-disk-format.md).</summary>
public static class WalFormat
{
    public const int HeaderBytes = 64;
    public const int AlignmentBytes = LakeFormat.WalAlign;
    public const int MaxFrameBytes = LakeFormat.WalFrameMax;
    public const int MaxPayloadBytes = (MaxFrameBytes / WalSector.Bytes * WalSector.ContentBytes) - HeaderBytes;
    public const ushort Version = 2;

    /// <summary>Bytes of a frame in the log: in sectors, padding included.</summary>
    public static int FrameBytes(int payloadBytes) => Aligned(WalSector.DeviceBytes(HeaderBytes + payloadBytes));

    /// <summary>Bytes of a frame in a segment of the archive: header and payload as they are, padding included.</summary>
    public static int FlatBytes(int payloadBytes) => Aligned(HeaderBytes + payloadBytes);

    private static int Aligned(int bytes) => (bytes + AlignmentBytes - 1) & ~(AlignmentBytes - 1);
}
