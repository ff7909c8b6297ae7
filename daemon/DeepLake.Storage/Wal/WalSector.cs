// SPDX-License-Identifier: MPL-2.0
using System.Buffers.Binary;
using DeepLake.Abi;
using DeepLake.Platform;

namespace DeepLake.Storage;

/// <summary>
/// The sectors that a frame is written in (<c>struct lakefs_wal_sector</c>): a power cut leaves each of them old or
/// new, so one that is neither was damaged later. The idea of a mark in each sector of a log is that of XFS's cycle
/// stamps; here each has a checksum, too.
/// </summary>
internal static class WalSector
{
    internal const int Bytes = LakeFormat.WalSector;
    internal const int ContentBytes = LakeFormat.WalSectorContent;
    private const int FrameAt = ContentBytes;
    private const int ChecksumAt = FrameAt + sizeof(uint);

    /// <summary>Bytes of the device for so much content, in whole sectors.</summary>
    internal static int DeviceBytes(int contentBytes) => (contentBytes + ContentBytes - 1) / ContentBytes * Bytes;

    /// <summary>What the sectors of a frame are marked with.</summary>
    internal static uint MarkOf(ulong lsn) => (uint)lsn;

    /// <summary>Puts content into the sectors of a frame, from a byte of its content on.</summary>
    internal static void Put(Span<byte> frame, int at, ReadOnlySpan<byte> content)
    {
        while (!content.IsEmpty)
        {
            (int sector, int within) = Math.DivRem(at, ContentBytes);
            int count = Math.Min(content.Length, ContentBytes - within);
            content[..count].CopyTo(frame[((sector * Bytes) + within)..]);
            content = content[count..];
            at += count;
        }
    }

    /// <summary>Takes content out of the sectors of a frame, from a byte of its content on.</summary>
    internal static void Take(ReadOnlySpan<byte> frame, int at, Span<byte> content)
    {
        while (!content.IsEmpty)
        {
            (int sector, int within) = Math.DivRem(at, ContentBytes);
            int count = Math.Min(content.Length, ContentBytes - within);
            frame.Slice((sector * Bytes) + within, count).CopyTo(content);
            content = content[count..];
            at += count;
        }
    }

    /// <summary>Zeroes what is behind the content, and marks each sector.</summary>
    internal static void Seal(Span<byte> frame, int contentBytes, uint mark)
    {
        for (int at = 0, left = contentBytes; at < frame.Length; at += Bytes, left -= ContentBytes)
        {
            Span<byte> sector = frame.Slice(at, Bytes);
            sector[Math.Clamp(left, 0, ContentBytes)..ContentBytes].Clear();
            BinaryPrimitives.WriteUInt32LittleEndian(sector[FrameAt..], mark);
            BinaryPrimitives.WriteUInt32LittleEndian(sector[ChecksumAt..], Checksum(sector));
        }
    }

    /// <summary>Whether a sector is as it was once written.</summary>
    internal static bool IsWhole(ReadOnlySpan<byte> sector) =>
        BinaryPrimitives.ReadUInt32LittleEndian(sector[ChecksumAt..]) == Checksum(sector);

    /// <summary>Whether it was written with a frame of this mark, if it is whole.</summary>
    internal static bool IsOf(ReadOnlySpan<byte> sector, uint mark) => BinaryPrimitives.ReadUInt32LittleEndian(sector[FrameAt..]) == mark;

    private static uint Checksum(ReadOnlySpan<byte> sector) => Crc32C.Compute(sector[..ChecksumAt]);
}
