// SPDX-License-Identifier: MPL-2.0
using System.Buffers;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine.Format;
using DeepLake.Hash;
using DeepLake.Packs;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine.Archive;

/// <summary>
/// A segment of the archive on the device: header, superblock copy, payload (docs/archive.md). Blocks
/// are absolute on the device.
/// </summary>
internal static class ArchiveSegment
{
    public const int MetaBytes = LakeFormat.ArchiveMetaBlocks * LakeFormat.BlockSize;

    /// <summary>The most that a payload takes: one frame of the log fits.</summary>
    public const int MaxPayloadBytes = WalFormat.MaxFrameBytes;

    private const int CrcOffset = 12;

    /// <summary>A buffer for a whole segment; its payload goes behind <see cref="MetaBytes"/>.</summary>
    public static AlignedBuffer CreateBuffer() => new(MetaBytes + MaxPayloadBytes);

    public static uint BlocksFor(int storedBytes) =>
        (uint)((MetaBytes + storedBytes + LakeFormat.BlockSize - 1) / LakeFormat.BlockSize);

    /// <summary>Puts a payload into the buffer as it is to be stored: as a zstd frame when that saves a block or more.</summary>
    /// <param name="frames">Compresses.</param>
    /// <param name="payload">At most <see cref="MaxPayloadBytes"/>; not in the buffer.</param>
    /// <param name="buffer">From <see cref="CreateBuffer"/>.</param>
    /// <param name="flags">What the header has to say of it.</param>
    /// <returns>Its bytes.</returns>
    public static int Store(FrameWriter frames, ReadOnlySpan<byte> payload, AlignedBuffer buffer, out ArchiveFlags flags)
    {
        flags = ArchiveFlags.Zstd;
        Span<byte> stored = buffer.Slice(MetaBytes, payload.Length);
        if (frames.TryWrite(payload, stored[..^LakeFormat.BlockSize], out int bytes))
        {
            return bytes;
        }

        flags = default;
        payload.CopyTo(stored);
        return payload.Length;
    }

    /// <summary>Fills header and superblock copy in and writes the segment. It is not flushed.</summary>
    /// <param name="device">The lake's.</param>
    /// <param name="buffer">From <see cref="CreateBuffer"/>, its payload filled in as it is to be stored.</param>
    /// <param name="superblock">As last written.</param>
    /// <param name="header">Number, place, kind, part, flags, both lengths of the payload, frames, seq, time.</param>
    public static void Write(IBlockDevice device, AlignedBuffer buffer, in Superblock superblock, ArchiveHeader header)
    {
        int storedBytes = (int)header.StoredBytes;
        int bytes = (int)BlocksFor(storedBytes) * LakeFormat.BlockSize;
        Span<byte> segment = buffer.Slice(0, bytes);
        segment[(MetaBytes + storedBytes)..].Clear();
        MemoryMarshal.Write(segment[LakeFormat.BlockSize..], in superblock);
        header.Magic = LakeFormat.ArchiveMagic;
        header.FormatVersion = LakeFormat.Version;
        header.Crc32c = 0;
        header.Uuid = superblock.Uuid;
        header.Blocks = (uint)(bytes / LakeFormat.BlockSize);
        header.PayloadCrc32c = Crc32C.Compute(segment.Slice(LakeFormat.BlockSize, LakeFormat.BlockSize + storedBytes));
        MemoryMarshal.Write(segment, in header);
        MacOf(superblock, segment, storedBytes).CopyTo(header.Mac);
        MemoryMarshal.Write(segment, in header);
        header.Crc32c = Crc32C.Compute(segment[..LakeFormat.BlockSize]);
        MemoryMarshal.Write(segment[CrcOffset..], header.Crc32c);
        device.Write(segment, LakeLayout.Bytes(header.StartBlock));
    }

    /// <summary>Whether a block is the header of a segment that was written there, as far as the block itself tells.</summary>
    public static bool TryParse(ReadOnlySpan<byte> block, ulong at, out ArchiveHeader header)
    {
        header = default;
        if (MemoryMarshal.Read<ulong>(block) != LakeFormat.ArchiveMagic)
        {
            return false;
        }

        header = MemoryMarshal.Read<ArchiveHeader>(block);
        Span<byte> copy = stackalloc byte[LakeFormat.BlockSize];
        block[..LakeFormat.BlockSize].CopyTo(copy);
        copy.Slice(CrcOffset, sizeof(uint)).Clear();
        return Crc32C.Compute(copy) == header.Crc32c && IsSane(header, at);
    }

    /// <summary>
    /// Reads a whole segment into the buffer; the payload, decompressed, is behind <see cref="MetaBytes"/>. False when it does
    /// not match its checksum or its header.
    /// </summary>
    public static bool TryRead(IBlockDevice device, in ArchiveHeader header, AlignedBuffer buffer, out Superblock superblock)
    {
        superblock = default;
        long at = LakeLayout.Bytes(header.StartBlock);
        int bytes = (int)header.Blocks * LakeFormat.BlockSize;
        if (at + bytes > device.LengthBytes)
        {
            return false;
        }

        Span<byte> segment = buffer.Slice(0, bytes);
        device.Read(segment, at);
        superblock = MemoryMarshal.Read<Superblock>(segment[LakeFormat.BlockSize..]);
        return TryParse(segment, header.StartBlock, out ArchiveHeader now)
            && now.Crc32c == header.Crc32c
            && (Crc32C.Compute(segment.Slice(LakeFormat.BlockSize, LakeFormat.BlockSize + (int)header.StoredBytes)) == header.PayloadCrc32c
                || Planted.Is(PlantedFault.SegmentChecksumIgnored))
            && ((ReadOnlySpan<byte>)superblock.Uuid).SequenceEqual(header.Uuid)
            && (IsAuthentic(superblock, segment, header) || Planted.Is(PlantedFault.SegmentChecksumIgnored))
            && SuperblockStore.IsSane(superblock, device.LengthBytes)
            && (!header.Flags.HasFlag(ArchiveFlags.Zstd) || TryDecompress(header, buffer));
    }

    private static bool TryDecompress(in ArchiveHeader header, AlignedBuffer buffer)
    {
        int storedBytes = (int)header.StoredBytes;
        byte[] stored = ArrayPool<byte>.Shared.Rent(storedBytes);
        try
        {
            using var frames = new FrameReader();
            buffer.Slice(MetaBytes, storedBytes).CopyTo(stored);
            return frames.TryRead(stored.AsSpan(0, storedBytes), buffer.Slice(MetaBytes, (int)header.PayloadBytes));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(stored);
        }
    }

    private static bool IsAuthentic(in Superblock superblock, Span<byte> segment, in ArchiveHeader header)
    {
        ArchiveHeader bare = header;
        bare.Crc32c = 0;
        bare.Mac = default;
        MemoryMarshal.Write(segment, in bare);
        bool isAuthentic = MacOf(superblock, segment, (int)header.StoredBytes).SequenceEqual(header.Mac);
        MemoryMarshal.Write(segment, in header);
        return isAuthentic;
    }

    // BLAKE3 has no extension attack: a key in front of the message authenticates it.
    private static byte[] MacOf(in Superblock superblock, ReadOnlySpan<byte> segment, int storedBytes)
    {
        var hasher = new Blake3Hasher();
        hasher.Append(superblock.ArchiveKey);
        hasher.Append(segment[..(MetaBytes + storedBytes)]);
        byte[] mac = new byte[Blake3Hash.SizeBytes];
        hasher.Finish().CopyTo(mac);
        return mac;
    }

    private static bool IsSane(in ArchiveHeader header, ulong at) =>
        header.FormatVersion == LakeFormat.Version
        && header.StartBlock == at
        && header.Number != 0
        && header.PayloadBytes is > 0 and <= MaxPayloadBytes
        && header.PayloadBytes % LakeFormat.BlockSize == 0
        && (header.Flags.HasFlag(ArchiveFlags.Zstd) ? header.StoredBytes > 0 && header.StoredBytes < header.PayloadBytes : header.StoredBytes == header.PayloadBytes)
        && header.Blocks == BlocksFor((int)header.StoredBytes)
        && header.Kind is ArchiveKind.Log or ArchiveKind.Base
        && header.NextLsn != 0
        && (header.Kind == ArchiveKind.Base ? header.FirstLsn == header.NextLsn : header.FirstLsn != 0 && header.FirstLsn < header.NextLsn);
}
