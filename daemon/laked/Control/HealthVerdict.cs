// SPDX-License-Identifier: MPL-2.0
using System.Globalization;
using DeepLake.Control;

namespace DeepLake.Laked.Control;

/// <summary>
/// What of a lake's numbers a person has to do something about, and what. Knows nothing that is not in the
/// report it is given.
/// </summary>
internal static class HealthVerdict
{
    internal const string Healthy = "healthy";
    internal const string Attention = "attention";
    internal const string Damaged = "damaged";

    private const int RangesMost = 20;
    private const ulong BlockBytes = 4096;
    private const ulong FullDivisor = 20;
    private const ulong RoomBytes = 8ul << 30;
    private const ulong MetadataPercent = 90;

    internal const string RestoreStep =
        "copy what can be read of it, restore the file from a backup, then delete the damaged one; a block that is written anew is sound";

    /// <summary>Fills in findings and verdict.</summary>
    /// <param name="lake">Everything else is there.</param>
    /// <param name="isDamaged">It failed because its metadata is damaged.</param>
    internal static void Judge(LakeHealth lake, bool isDamaged)
    {
        State(lake, isDamaged);
        Data(lake);
        if (lake.IsOpen)
        {
            Superblocks(lake.Stats, lake);
            Space(lake.Stats, lake);
        }

        Conclude(lake);
    }

    /// <summary>Something that only who looks at a lake at rest finds.</summary>
    internal static void AddDamage(LakeHealth lake, string what, string cause, string next)
    {
        Add(lake, what, true, cause, next);
        Conclude(lake);
    }

    private static void Conclude(LakeHealth lake) =>
        lake.Verdict = lake.Findings.Any(f => f.IsDamage) ? Damaged : lake.Findings.Count > 0 ? Attention : Healthy;

    private static void State(LakeHealth lake, bool isDamaged)
    {
        LakeStats stats = lake.Stats;
        if (stats.State == "failed")
        {
            Add(lake, "failed", isDamaged, $"the lake is not served: {(stats.Failure.Length > 0 ? stats.Failure : "no reason is known")}; programs get errors", isDamaged
                ? "unmount it, and run lakectl repair on the device, which says what it can bring back before it does"
                : "see dmesg and lakectl logs for the cause, unmount it, and mount it again");
        }
        else if (!lake.IsOpen)
        {
            Add(lake, "busy", false, $"the lake is {stats.State} and does not answer now", "ask again in a minute; see lakectl logs");
        }
    }

    private static void Data(LakeHealth lake)
    {
        DamagedRange[] found = [.. (lake.Scrub?.Damaged ?? []).Where(d => !d.IsGone)];
        DamagedRange[] read = [.. lake.Reads.Where(r => !r.IsGone && !found.Any(f => Covers(f, r)))];
        foreach (DamagedRange range in found.Concat(read).Take(RangesMost))
        {
            Add(lake, range.Kind == "read" ? "damaged_read" : "damaged_data", true, Describe(range), RestoreStep);
        }

        int more = found.Length + read.Length - RangesMost;
        if (more > 0)
        {
            Add(lake, "damaged_data", true, $"{more} more damaged ranges", "lakectl scrub status --json lists them");
        }

        Unnamed(lake);
        if (lake.Scrub?.Problem.Length > 0)
        {
            Add(lake, "scrub", false, $"the scrub cannot go on: {lake.Scrub.Problem}", "see dmesg for errors of the device; it is tried again each minute");
        }
    }

    // What is counted and not known by name: of an earlier daemon, or more than is kept.
    private static void Unnamed(LakeHealth lake)
    {
        ulong known = (ulong)(lake.Scrub?.Damaged ?? []).DistinctBy(d => d.DeviceBlock).Sum(d => (long)((d.LastByte + 1 - d.FirstByte) / BlockBytes));
        ulong counted = Math.Max(lake.Scrub?.EndedDamagedBlocks ?? 0, lake.Scrub?.DamagedBlocks ?? 0);
        if (counted > known || lake.Scrub?.LeftOut > 0)
        {
            Add(lake, "damaged_data", true, $"the scrub counted {counted} damaged blocks, more than it has names for", "see lakectl logs; run lakectl scrub --wait to have them named again");
        }

        if (lake.DamagedReads > 0 && lake.Reads.Count == 0 && !(lake.Scrub?.Damaged.Count > 0))
        {
            Add(lake, "damaged_read", false, $"programs have met damaged data {lake.DamagedReads} times in this mount, in files that are not known", "run lakectl scrub --wait: it names the files");
        }
    }

    private static void Superblocks(LakeStats stats, LakeHealth lake)
    {
        foreach (string note in stats.Notes)
        {
            if (note.StartsWith(ReportTexts.LogIsDamaged, StringComparison.Ordinal))
            {
                Add(lake, "log_damaged", true, note, "compare what was changed last with a backup; the next mount, or lakectl repair, begins the log anew; when it comes again, replace the device");
                continue;
            }

            if (note.StartsWith(ReportTexts.EndIsUnknown, StringComparison.Ordinal))
            {
                Add(lake, "end_unknown", false, note, "nothing: the next mount takes it for not cleanly, which costs a look at the log");
                continue;
            }

            if (note.StartsWith(ReportTexts.DeviceCannotRead, StringComparison.Ordinal))
            {
                Add(lake, "device_unreadable", false, note, "see dmesg; lakectl repair writes metadata anew that is there twice, which most devices put in another place; copy what matters, and replace the device soon");
                continue;
            }

            if (note == ReportTexts.IndexIsDamaged)
            {
                Add(lake, "index", false, note, "nothing at once; when it comes again, replace the device");
                continue;
            }

            Add(lake, "superblock", false, note, "it is written anew at the next mount, or by lakectl repair; when it comes again, replace the device");
        }

        if (stats.FellBack)
        {
            Add(lake, "older_checkpoint", false, "the newest checkpoint was damaged; the one before it and the log gave the same state, nothing is lost", "run lakectl verify; when it comes again, replace the device");
        }
    }

    private static void Space(LakeStats stats, LakeHealth lake)
    {
        ulong free = stats.FreeBlocks + stats.Counters.GetValueOrDefault("leased_blocks") + stats.Counters.GetValueOrDefault("quarantined_blocks");
        if (free < stats.DataBlocks / FullDivisor && free < RoomBytes / BlockBytes)
        {
            Add(lake, "data_full", false, $"{Mebibytes(free)} of {Mebibytes(stats.DataBlocks)} are left for data", "delete what is not needed, or move to a larger device (lakectl import)");
        }

        if (stats.Counters.GetValueOrDefault("archive_interrupted") != 0)
        {
            Add(lake, "archive_interrupted", false, "the archive ends before the newest changes: should the metadata be lost, not all of it would come back", "while the lake is mounted laked writes a base of the archive within minutes when there is room for it (see lakectl stats)");
        }

        ulong pages = stats.Counters.GetValueOrDefault("metadata_pages");
        ulong most = stats.Counters.GetValueOrDefault("metadata_capacity_pages");
        if (pages > most)
        {
            Add(lake, "metadata_full", false, "there is no room for metadata: nothing can be created", "delete files, or move to a larger device (lakectl import); the room for metadata is a part of the device");
        }
        else if (pages * 100 > most * MetadataPercent)
        {
            Add(lake, "metadata_nearly_full", false, $"metadata takes {pages * 100 / Math.Max(most, 1)} percent of its room; when that is full nothing can be created", "delete files, or move to a larger device (lakectl import)");
        }
    }

    private static bool Covers(DamagedRange range, DamagedRange other) =>
        range.Ino == other.Ino && range.FirstByte <= other.FirstByte && other.LastByte <= range.LastByte;

    private static string Describe(DamagedRange range)
    {
        string file = range.Paths.Count > 0 ? string.Join(", ", range.Paths) : $"inode {range.Ino}, which has no name any more";
        string what = range.Kind switch
        {
            "unreadable" => "cannot be read from the device",
            "read" => $"differ from their checksum, which programs have met {range.Times} times (EIO)",
            _ => "differ from their checksum; reading them gives EIO",
        };
        string time = DateTimeOffset.FromUnixTimeSeconds((long)range.FoundSec).ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        return $"{file}: bytes {range.FirstByte} to {range.LastByte} {what} (block {range.DeviceBlock} of the device, found {time})";
    }

    private static string Mebibytes(ulong blocks) => $"{blocks * BlockBytes >> 20} MiB";

    private static void Add(LakeHealth lake, string what, bool isDamage, string cause, string next) =>
        lake.Findings.Add(new HealthFinding { What = what, IsDamage = isDamage, Cause = cause, NextStep = next });
}
