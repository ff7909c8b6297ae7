// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;

namespace DeepLake.Storage;

/// <summary>
/// Looks at the place where a log ends. A power cut leaves each sector of the frame that was being written old or
/// new; a frame of which one is old was never acknowledged. Where none is old and some are neither, a frame was
/// written to its end and damaged later (docs/on-disk-format.md, "Reading").
/// </summary>
internal static class LogEnd
{
    /// <param name="reader">Of the region.</param>
    /// <param name="end">Where the frame would be that the log does not have.</param>
    /// <param name="regionBytes">Of the region.</param>
    /// <param name="isUnread">The device could not read it: perhaps it can another time.</param>
    internal static LogEndDamage Look(WalReader reader, WalPosition end, long regionBytes, out bool isUnread)
    {
        isUnread = false;
        if (Planted.Is(PlantedFault.DamagedEndTakenForTorn))
        {
            return LogEndDamage.None;
        }

        LogEndDamage worst = LogEndDamage.None;
        foreach (long offset in PlacesOf(end, regionBytes))
        {
            LogEndDamage damage = LookAt(reader, offset, end.Lsn, out bool unread);
            worst = damage > worst ? damage : worst;
            isUnread |= unread;
        }

        return worst;
    }

    /// <summary>Offsets at which the frame may begin: a long one may have gone to the start of the region.</summary>
    internal static IEnumerable<long> PlacesOf(WalPosition end, long regionBytes)
    {
        if (end.OffsetBytes <= regionBytes - WalFormat.AlignmentBytes)
        {
            yield return end.OffsetBytes;
        }

        if (end.OffsetBytes != 0 && end.OffsetBytes + WalFormat.MaxFrameBytes > regionBytes)
        {
            yield return 0;
        }
    }

    /// <summary>What one of those places tells.</summary>
    private static LogEndDamage LookAt(WalReader reader, long offset, ulong lsn, out bool isUnread)
    {
        isUnread = false;
        uint mark = WalSector.MarkOf(lsn);
        // how long the frame is only its first sector tells; the least is a block
        ReadOnlySpan<byte> block = reader.Raw(offset, WalFormat.AlignmentBytes);
        int frameBytes = WalFormat.AlignmentBytes;
        if (WalSector.IsWhole(block[..WalSector.Bytes]) && WalReader.HeaderOf(block) is var header && header.Lsn == lsn && reader.IsPlausible(header, offset))
        {
            frameBytes = WalFormat.FrameBytes((int)header.PayloadBytes);
        }

        ReadOnlySpan<byte> frame = reader.Raw(offset, frameBytes);
        int ofFrame = 0;
        int damaged = 0;
        for (int at = 0; at < frameBytes; at += WalSector.Bytes)
        {
            ReadOnlySpan<byte> sector = frame.Slice(at, WalSector.Bytes);
            if (!WalSector.IsWhole(sector))
            {
                damaged++;
            }
            else if (WalSector.IsOf(sector, mark))
            {
                ofFrame++;
            }
            else
            {
                return LogEndDamage.None; // an old one: it was never written to its end
            }
        }

        isUnread = damaged > 0 && reader.IsUnreadable(offset, frameBytes);
        return damaged == 0 ? LogEndDamage.None : ofFrame == 0 ? LogEndDamage.Unreadable : LogEndDamage.Frame;
    }
}
