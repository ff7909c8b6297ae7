// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Platform;

namespace DeepLake.Storage;

/// <summary>A log's region as a whole, without the position where a replay begins: for mkfs, repair and rebuild.</summary>
public static class WalRegion
{
    private const int SectorsPerBlock = WalFormat.AlignmentBytes / WalSector.Bytes;

    /// <summary>Makes a region one without a frame; the caller flushes.</summary>
    public static void Clear(IBlockDevice device, long regionStart, long regionBytes)
    {
        using AlignedBuffer empty = EmptySectors((int)Math.Min(WalFormat.MaxFrameBytes, regionBytes));
        for (long at = 0; at < regionBytes; at += empty.Length)
        {
            device.Write(empty.Slice(0, (int)Math.Min(empty.Length, regionBytes - at)), regionStart + at);
        }
    }

    /// <summary>
    /// Clears the blocks of a region in which no sector is whole. No frame has a part there that can be read; left as
    /// they are, they would be taken for a damaged frame when the log ends before one. The caller flushes.
    /// </summary>
    /// <param name="device">The log's.</param>
    /// <param name="regionStart">In bytes.</param>
    /// <param name="regionBytes">Its length.</param>
    /// <param name="takesUnread">Those too that the device could not read; else they stay, as another time it may.</param>
    public static void ClearDamaged(IBlockDevice device, long regionStart, long regionBytes, bool takesUnread)
    {
        using AlignedBuffer empty = EmptySectors((int)Math.Min(WalFormat.MaxFrameBytes, regionBytes));
        using var piece = new AlignedBuffer((int)Math.Min(WalFormat.MaxFrameBytes, regionBytes));
        for (long at = 0; at < regionBytes; at += piece.Length)
        {
            Span<byte> blocks = piece.Slice(0, (int)Math.Min(piece.Length, regionBytes - at));
            device.Read(blocks, regionStart + at);
            for (int block = 0; block < blocks.Length; block += WalFormat.AlignmentBytes)
            {
                int run = DamagedRun(blocks[block..]);
                while (run > 0 && !takesUnread && device.IsUnreadable(regionStart + at + block, run))
                {
                    run -= WalFormat.AlignmentBytes;
                }

                if (run > 0)
                {
                    device.Write(empty.Slice(0, run), regionStart + at + block);
                    block += run;
                }
            }
        }
    }

    /// <summary>
    /// Clears a part of a region from its end to its beginning; what is at the beginning is cleared when all else
    /// durably is. The caller flushes.
    /// </summary>
    public static void ClearBackwards(IBlockDevice device, long start, long bytes)
    {
        long rest = bytes;
        while (rest > WalFormat.MaxFrameBytes)
        {
            long piece = Math.Min(WalFormat.MaxFrameBytes, rest - WalFormat.MaxFrameBytes);
            rest -= piece;
            Clear(device, start + rest, piece);
        }
        if (rest > 0)
        {
            device.Flush();
            Clear(device, start, rest);
        }
    }

    /// <summary>Clears everything but some frames, given by their offsets; the caller flushes.</summary>
    public static void ClearAllBut(IBlockDevice device, long regionStart, long regionBytes, ulong lakeTag, IReadOnlySet<long> frames)
    {
        var kept = new List<(long From, long To)>();
        FindFrames(device, regionStart, regionBytes, lakeTag, (long offset, in WalFrame header, ReadOnlySpan<byte> _) =>
        {
            if (frames.Contains(offset))
            {
                kept.Add((offset, offset + WalFormat.FrameBytes((int)header.PayloadBytes)));
            }
        });
        long at = 0;
        foreach ((long from, long to) in kept.Append((regionBytes, regionBytes)))
        {
            if (from > at)
            {
                Clear(device, regionStart + at, from - at);
            }
            at = to;
        }
    }

    /// <summary>How many blocks have a sector that is not whole.</summary>
    public static long CountDamaged(IBlockDevice device, long start, long bytes)
    {
        long count = 0;
        using var piece = new AlignedBuffer(WalFormat.MaxFrameBytes);
        for (long at = 0; at < bytes; at += piece.Length)
        {
            Span<byte> blocks = piece.Slice(0, (int)Math.Min(piece.Length, bytes - at));
            device.Read(blocks, start + at);
            for (int block = 0; block < blocks.Length; block += WalFormat.AlignmentBytes)
            {
                count += CountWhole(blocks.Slice(block, WalFormat.AlignmentBytes)) < SectorsPerBlock ? 1 : 0;
            }
        }
        return count;
    }

    /// <summary>
    /// Every intact frame of a lake in a log's region, in the order of the region, whatever precedes it: for
    /// who has lost the position where a replay begins.
    /// </summary>
    public static void FindFrames(IBlockDevice device, long regionStart, long regionBytes, ulong lakeTag, WalFoundVisitor visitor)
    {
        using var reader = new WalReader(device, regionStart, regionBytes, lakeTag);
        long offset = 0;
        while (offset < regionBytes)
        {
            if (reader.TryReadFrame(offset, out WalFrame header, out ReadOnlySpan<byte> payload))
            {
                visitor(offset, header, payload);
                offset += WalFormat.FrameBytes((int)header.PayloadBytes);
                continue;
            }
            offset += WalFormat.AlignmentBytes;
        }
    }

    /// <summary>
    /// Which lake's frame is at the start of a log's region, where each lake that uses it begins; null when
    /// there is no intact one.
    /// </summary>
    public static ulong? FirstLakeTag(IBlockDevice device, long regionStart, long regionBytes)
    {
        using var block = new AlignedBuffer(WalFormat.AlignmentBytes);
        device.Read(block.Span, regionStart);
        ulong lakeTag = WalReader.HeaderOf(block.Span).LakeTag;
        using var reader = new WalReader(device, regionStart, regionBytes, lakeTag);
        return reader.TryReadFrame(0, out _, out _) ? lakeTag : null;
    }

    // Bytes of the blocks at the beginning in which no sector is whole.
    private static int DamagedRun(ReadOnlySpan<byte> blocks)
    {
        int run = 0;
        while (run < blocks.Length && CountWhole(blocks.Slice(run, WalFormat.AlignmentBytes)) == 0)
        {
            run += WalFormat.AlignmentBytes;
        }
        return run;
    }

    private static int CountWhole(ReadOnlySpan<byte> block)
    {
        int whole = 0;
        for (int at = 0; at < block.Length; at += WalSector.Bytes)
        {
            whole += WalSector.IsWhole(block.Slice(at, WalSector.Bytes)) ? 1 : 0;
        }
        return whole;
    }

    private static AlignedBuffer EmptySectors(int bytes)
    {
        var empty = new AlignedBuffer(bytes);
        WalSector.Seal(empty.Span, 0, 0);
        return empty;
    }
}
