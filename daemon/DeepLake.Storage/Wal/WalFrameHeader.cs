// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Storage;

/// <summary>
/// The 64 bytes in front of a frame's payload; mirrors <c>struct lakefs_wal_frame</c> in
/// proto/lakefs_format.h. Little-endian.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct WalFrameHeader
{
    public const int Bytes = 64;
    public const int AlignmentBytes = 4096;
    public const int MaxFrameBytes = 1 << 20;
    public const int MaxPayloadBytes = MaxFrameBytes - Bytes;
    public const uint MagicValue = 0x46574b4c; // bytes "LKWF"
    public const ushort CurrentVersion = 1;

    public uint Magic;
    public ushort Version;
    public ushort Flags;
    public ulong LakeTag;
    public ulong Epoch;
    public ulong Lsn;
    public ulong FirstSeq;
    public ulong LastSeq;
    public uint PayloadBytes;
    public uint EntryCount;

    /// <summary>Over the header with this field zero, then the payload.</summary>
    public uint Crc32C;

    /// <summary>The checksum of the frame before it, so that frames form a chain; 0 begins a new one.</summary>
    public uint PreviousCrc32C;

    /// <summary>Bytes of the device that the frame takes, padding included.</summary>
    public readonly int FrameBytes => FrameBytesFor((int)PayloadBytes);

    internal static int FrameBytesFor(int payloadBytes) =>
        (Bytes + payloadBytes + AlignmentBytes - 1) & ~(AlignmentBytes - 1);
}
