// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine.Format;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine.Archive;

/// <summary>
/// Puts what a survey found in order: the newest base that is whole, the log behind it as far as it goes
/// without a gap, and what the log's own region adds. Reads only.
/// </summary>
public sealed class RebuildPlanner : IDisposable
{
    private readonly IBlockDevice _device;
    private readonly AlignedBuffer _buffer = ArchiveSegment.CreateBuffer();
    private readonly List<string> _notes = [];
    private long _nextOffset;
    private ulong _straySeq;
    private ulong _newestEpoch;
    private Byte32 _key;

    public RebuildPlanner(IBlockDevice device) => _device = device;

    /// <exception cref="LakeFormatException">There is nothing to rebuild from; says why.</exception>
    public RebuildPlan Plan(ArchiveSurvey survey)
    {
        List<ArchiveHeader> segments = OfOneLake(survey.Segments, out Superblock superblock, out ulong knownSeq);
        _key = superblock.ArchiveKey;
        List<ArchiveHeader> bases = NewestBase(segments, out LogEnd end);
        var logs = new List<ArchiveHeader>();
        while (TryNextLog(segments, out ArchiveHeader log, ref end))
        {
            logs.Add(log);
        }

        ulong archivedLsn = end.Lsn;
        List<long> frames = FramesBehind(superblock, ref end);
        (ulong lsn, ulong seq) = (end.Lsn, end.Seq);
        superblock.Epoch = Math.Max(superblock.Epoch, Math.Max(end.Epoch, _newestEpoch));
        if (bases.Count == 0 && logs.Count == 0 && frames.Count == 0)
        {
            throw NothingFound("no base of its archive is whole, and the log from its beginning is not there any more");
        }

        ulong archivedSec = bases.Concat(logs).Select(s => s.WrittenSec).DefaultIfEmpty(superblock.WrittenSec).Max();
        bool hasGap = FindGap(segments, archivedSec, lsn, ref knownSeq);
        return new RebuildPlan
        {
            Superblock = superblock,
            Base = bases,
            Logs = logs,
            ArchivedLsn = archivedLsn,
            Frames = frames,
            NextLsn = lsn,
            NextOffset = frames.Count == 0 ? 0 : _nextOffset,
            Seq = seq,
            KnownSeq = Math.Max(seq, Math.Max(knownSeq, _straySeq)),
            ArchivedAt = DateTimeOffset.FromUnixTimeSeconds((long)Math.Min(archivedSec, uint.MaxValue)),
            IsComplete = !hasGap && Math.Max(knownSeq, _straySeq) <= seq,
            Notes = _notes,
        };
    }

    public void Dispose() => _buffer.Dispose();

    /// <summary>Where the log is that comes back: its next frame, and what that has to follow.</summary>
    private record struct LogEnd(ulong Lsn, ulong Seq, ulong Epoch, uint Crc)
    {
        /// <summary>A rebuild may have given up what is still there of the log once: then its numbers come twice.</summary>
        public readonly bool IsFollowedBy(in WalFrame frame) =>
            frame.Lsn == Lsn && frame.Epoch >= Epoch
            && (frame.FirstSeq == 0 || frame.FirstSeq == Seq + 1)
            && (Crc == 0 || frame.PrevCrc32c == 0 || frame.PrevCrc32c == Crc);

        public readonly LogEnd After(in WalFrame frame) => new(Lsn + 1, Math.Max(Seq, frame.LastSeq), frame.Epoch, frame.Crc32c);
    }

    /// <summary>Whole, of this lake, and written by it.</summary>
    private bool TryRead(in ArchiveHeader segment, out Superblock superblock)
    {
        bool isOwn = ArchiveSegment.TryRead(_device, segment, _buffer, out superblock)
            && ((ReadOnlySpan<byte>)superblock.ArchiveKey).SequenceEqual(_key);
        _newestEpoch = isOwn ? Math.Max(_newestEpoch, superblock.Epoch) : _newestEpoch;
        return isOwn;
    }

    /// <summary>
    /// Segments of the log behind what comes back. Those that are older than the newest that is used are of
    /// a history that an earlier rebuild has given up.
    /// </summary>
    private bool FindGap(List<ArchiveHeader> segments, ulong archivedSec, ulong lsn, ref ulong knownSeq)
    {
        ArchiveHeader[] later = [.. segments.Where(s => s.NextLsn > lsn && s.WrittenSec >= archivedSec && (s.Kind == ArchiveKind.Log || TryRead(s, out _)))];
        if (later.Length == 0)
        {
            return false;
        }

        knownSeq = Math.Max(knownSeq, later.Max(s => s.Seq));
        ulong next = later.Min(s => s.FirstLsn);
        _notes.Add(next > lsn
            ? $"the archive has a gap: frames {lsn} to {next - 1} of the log are missing, so what came after them is left out"
            : $"the archive breaks off before frame {lsn} of the log, and what came from there on is left out");
        return true;
    }

    private static LakeFormatException NothingFound(string why) => new(
        Errno.ENODATA, $"the lake cannot be rebuilt: {why}", "restore the device from a backup");

    /// <summary>
    /// A device may have held other lakes before. A superblock copy that is whole says which one it is, and
    /// without any the lake whose segment was written last is.
    /// </summary>
    private List<ArchiveHeader> OfOneLake(IReadOnlyList<ArchiveHeader> all, out Superblock superblock, out ulong knownSeq)
    {
        if (TryReadSuperblock(out superblock))
        {
            knownSeq = superblock.CheckpointSeq;
        }
        else if (TryTakeNewest(all, out superblock))
        {
            knownSeq = 0;
            SuperblockStore.Validate(superblock, _device.LengthBytes);
            SuperblockStore.RequireWritable(superblock);
            RefuseAnOlderLake(superblock);
        }
        else
        {
            throw NothingFound(all.Count == 0 ? "the device holds no segment of an archive" : "no segment of its archive is whole");
        }

        Superblock lake = superblock;
        List<ArchiveHeader> own = [.. all.Where(s => SameLake(s, lake))];
        if (own.Count < all.Count)
        {
            _notes.Add($"{all.Count - own.Count} segments belong to other lakes, which were on this device before, and are left out");
        }

        return own;
    }

    private bool TryReadSuperblock(out Superblock superblock)
    {
        try
        {
            superblock = SuperblockStore.ReadAll(_device)[0];
            SuperblockStore.RequireWritable(superblock);
            return true;
        }
        catch (LakeFormatException failure) when (failure.Errno != Errno.EROFS)
        {
            superblock = default;
            return SuperblockStore.FindForeign(_device) is { } foreign ? throw foreign : false;
        }
    }

    /// <summary>Each lake begins its log at the start of the region: that frame is of the last one that was used here.</summary>
    private void RefuseAnOlderLake(in Superblock superblock)
    {
        ulong? tag = WalRegion.FirstLakeTag(_device, LakeLayout.Bytes(superblock.Wal.StartBlock), LakeLayout.Bytes(superblock.Wal.Blocks));
        if (tag is not null && tag != MemoryMarshal.Read<ulong>(superblock.Uuid))
        {
            throw NothingFound(
                $"the log is of a lake that was made on this device after {SuperblockStore.UuidOf(superblock)}, whose archive is the newest that is left");
        }
    }

    // Without a superblock nothing tells the lake's own segments from what a user put into a file, but that all have one key.
    private bool TryTakeNewest(IReadOnlyList<ArchiveHeader> all, out Superblock superblock)
    {
        superblock = default;
        bool isFound = false;
        foreach (ArchiveHeader segment in all.OrderByDescending(s => s.WrittenSec).ThenByDescending(s => s.Number))
        {
            if (!ArchiveSegment.TryRead(_device, segment, _buffer, out Superblock copy))
            {
                continue;
            }

            if (!isFound)
            {
                (superblock, isFound) = (copy, true);
            }
            else if (((ReadOnlySpan<byte>)copy.Uuid).SequenceEqual(superblock.Uuid)
                && !((ReadOnlySpan<byte>)copy.ArchiveKey).SequenceEqual(superblock.ArchiveKey))
            {
                throw NothingFound(
                    "its segments have different keys, and without a superblock nothing tells which are its own: somebody may have written files that look like segments");
            }
        }

        return isFound;
    }

    private static bool SameLake(in ArchiveHeader segment, in Superblock lake)
    {
        Region data = lake.Data;
        return ((ReadOnlySpan<byte>)segment.Uuid).SequenceEqual(lake.Uuid)
            && segment.StartBlock >= data.StartBlock && segment.Blocks <= data.Blocks
            && segment.StartBlock - data.StartBlock <= data.Blocks - segment.Blocks;
    }

    /// <summary>All parts, each whole and of the same checkpoint. None: the log from the first frame on has to be there.</summary>
    private List<ArchiveHeader> NewestBase(List<ArchiveHeader> segments, out LogEnd end)
    {
        var candidates = segments.Where(s => s.Kind == ArchiveKind.Base)
            .GroupBy(s => (s.NextLsn, s.Seq, s.WrittenSec))
            .OrderByDescending(g => g.Key.NextLsn).ThenByDescending(g => g.Key.WrittenSec);
        foreach (var candidate in candidates)
        {
            if (TryOrder(candidate, out List<ArchiveHeader> parts, out ulong epoch))
            {
                end = new LogEnd(candidate.Key.NextLsn, candidate.Key.Seq, epoch, 0);
                return parts;
            }

            _notes.Add($"a base of the archive as of intent {candidate.Key.Seq} is not whole and is left out");
        }

        end = new LogEnd(WalPosition.Start.Lsn, 0, 0, 0);
        return [];
    }

    // A crash between two attempts may have left parts of one checkpoint twice: by generation they are told apart.
    private bool TryOrder(IEnumerable<ArchiveHeader> candidate, out List<ArchiveHeader> parts, out ulong epoch)
    {
        epoch = 0;
        var epochs = new Dictionary<ulong, ulong>();
        var byGeneration = new SortedDictionary<ulong, SortedDictionary<uint, ArchiveHeader>>();
        foreach (ArchiveHeader part in candidate)
        {
            if (TryRead(part, out Superblock superblock))
            {
                epochs[superblock.Generation] = superblock.Epoch;
                if (!byGeneration.TryGetValue(superblock.Generation, out SortedDictionary<uint, ArchiveHeader>? found))
                {
                    byGeneration.Add(superblock.Generation, found = []);
                }

                found[part.Part] = part;
            }
        }

        foreach ((ulong generation, SortedDictionary<uint, ArchiveHeader> found) in byGeneration.Reverse())
        {
            parts = [.. found.Values];
            epoch = epochs[generation];
            if (parts[^1].Flags.HasFlag(ArchiveFlags.Last) && parts[^1].Part == parts.Count - 1)
            {
                return true;
            }
        }

        parts = [];
        return false;
    }

    private bool TryNextLog(List<ArchiveHeader> segments, out ArchiveHeader log, ref LogEnd end)
    {
        ulong lsn = end.Lsn;
        foreach (ArchiveHeader candidate in segments
            .Where(s => s.Kind == ArchiveKind.Log && s.FirstLsn <= lsn && s.NextLsn > lsn)
            .OrderByDescending(s => s.NextLsn))
        {
            if (!TryRead(candidate, out _))
            {
                _notes.Add($"segment {candidate.Number} of the archive, at block {candidate.StartBlock}, is damaged");
            }
            else if (FramesFollow(candidate, ref end))
            {
                log = candidate;
                return true;
            }
        }

        log = default;
        return false;
    }

    /// <summary>And all that are new go on where the ones before end.</summary>
    private bool FramesFollow(in ArchiveHeader log, ref LogEnd end)
    {
        ulong lsn = log.FirstLsn;
        LogEnd now = end;
        Span<byte> rest = _buffer.Slice(ArchiveSegment.MetaBytes, (int)log.PayloadBytes);
        while (ArchiveFrames.TryTake(ref rest, out WalFrame frame, out _))
        {
            if (frame.Lsn != lsn++)
            {
                return false;
            }

            if (frame.Lsn < now.Lsn)
            {
                continue;
            }

            if (!now.IsFollowedBy(frame))
            {
                return false;
            }

            now = now.After(frame);
        }

        bool isWhole = rest.IsEmpty && lsn == log.NextLsn;
        end = isWhole ? now : end;
        return isWhole;
    }

    /// <summary>What the log's region still holds, each frame the successor of the one before it.</summary>
    private List<long> FramesBehind(in Superblock superblock, ref LogEnd end)
    {
        var found = new Dictionary<ulong, List<(long Offset, WalFrame Header)>>();
        ulong from = end.Lsn;
        WalRegion.FindFrames(
            _device, LakeLayout.Bytes(superblock.Wal.StartBlock), LakeLayout.Bytes(superblock.Wal.Blocks),
            MemoryMarshal.Read<ulong>(superblock.Uuid),
            (long offset, in WalFrame header, ReadOnlySpan<byte> _) =>
            {
                _newestEpoch = Math.Max(_newestEpoch, header.Epoch);
                if (header.Lsn < from)
                {
                    return;
                }

                if (!found.TryGetValue(header.Lsn, out List<(long, WalFrame)>? same))
                {
                    found.Add(header.Lsn, same = []);
                }

                same.Add((offset, header));
            });
        var frames = new List<long>();
        while (found.TryGetValue(end.Lsn, out List<(long Offset, WalFrame Header)>? same) && Successor(same, end) is { } next)
        {
            frames.Add(next.Offset);
            end = end.After(next.Header);
            _nextOffset = next.Offset + WalFormat.FrameBytes((int)next.Header.PayloadBytes);
        }

        var used = new HashSet<long>(frames);
        (long Offset, WalFrame Header)[] stray = [.. found.Values.SelectMany(same => same).Where(f => !used.Contains(f.Offset))];
        ulong last = end.Lsn;
        _straySeq = stray.Where(f => f.Header.Lsn >= last).Select(f => f.Header.LastSeq).DefaultIfEmpty().Max();
        if (stray.Length > 0)
        {
            _notes.Add($"the log's region has {stray.Length} frames that do not follow what comes before them, and are left out");
        }

        return frames;
    }

    private static (long Offset, WalFrame Header)? Successor(List<(long Offset, WalFrame Header)> same, LogEnd end)
    {
        foreach ((long offset, WalFrame header) in same)
        {
            if (end.IsFollowedBy(header))
            {
                return (offset, header);
            }
        }

        return null;
    }
}
