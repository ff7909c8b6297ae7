// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Storage;

/// <summary>Sizes of WAL frames; the header is <see cref="WalFrame"/> (docs/on-disk-format.md).</summary>
public static class WalFormat
{
    public const int HeaderBytes = 64;
    public const int AlignmentBytes = LakeFormat.WalAlign;
    public const int MaxFrameBytes = LakeFormat.WalFrameMax;
    public const int MaxPayloadBytes = MaxFrameBytes - HeaderBytes;
    public const ushort Version = 1;

    /// <summary>Device bytes of a frame, padding included.</summary>
    public static int FrameBytes(int payloadBytes) =>
        (HeaderBytes + payloadBytes + AlignmentBytes - 1) & ~(AlignmentBytes - 1);
}
