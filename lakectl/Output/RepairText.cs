// SPDX-License-Identifier: MPL-2.0
using System.Globalization;
using System.Text.Json;
using DeepLake.Control;

namespace DeepLake.Lakectl.Output;

/// <summary>What a repair is going to do, and what it did, for people and as JSON.</summary>
internal static class RepairText
{
    internal static string NameOf(RepairKind kind) => kind switch
    {
        RepairKind.Nothing => "nothing",
        RepairKind.Checkpoints => "checkpoints",
        RepairKind.Checksums => "checksums",
        _ => "rebuild",
    };

    internal static string NameOf(RepairOutcome outcome) => outcome switch
    {
        RepairOutcome.Unchanged => "unchanged",
        RepairOutcome.Planned => "planned",
        RepairOutcome.NeedsRebuild => "needs-rebuild",
        RepairOutcome.NeedsYes => "needs-yes",
        _ => "repaired",
    };

    internal static void ShowPlan(string name, RepairPlan plan, bool json)
    {
        if (json)
        {
            JsonLine.Write("repair-plan", w =>
            {
                w.WriteString("target", name);
                w.WriteString("kind", NameOf(plan.Kind));
                WritePlan(w, plan);
            });
            return;
        }
        string label = plan.Label.Length == 0 ? "" : $" \"{Printable.Of(plan.Label)}\"";
        Console.WriteLine($"{Printable.Of(name)}: lake {plan.Uuid}{label}");
        foreach (string finding in plan.Findings)
        {
            Line("found", finding);
        }
        if (plan.FindingCount > (ulong)plan.Findings.Count)
        {
            Line("", $"and {plan.FindingCount - (ulong)plan.Findings.Count} more");
        }
        if (plan.Source is { } source)
        {
            ShowSource(source, plan.Opens);
        }
        else if (plan.Kind == RepairKind.Checksums)
        {
            Line("plan", plan.FindingCount == 0
                ? "read all data that is checked, and write the checksums anew that are damaged, where the files' identities prove the data"
                : "read all data that is checked, and write the lost checksums of what the files' identities prove anew, and of what nothing else tells of");
            Line("writes", "the checksum table; no data, no metadata");
        }
        else
        {
            Line("plan", "write two checkpoints, so that both superblock copies and both checkpoints are whole again; nothing that can still be read is overwritten");
            Line("", plan.StaysClean ? "the lake stays marked as unmounted cleanly" : "the lake stays marked as not unmounted cleanly");
        }
    }

    internal static void ShowResult(string name, RepairResult result)
    {
        string target = Printable.Of(name);
        if (result.Report is not { } report)
        {
            return;
        }
        foreach (string problem in result.Kind == RepairKind.Rebuild ? report.Problems : [])
        {
            Line("damaged", problem);
        }
        foreach (UnprovenFile file in result.UnprovenFiles)
        {
            Line("unproven", $"inode {file.Ino}{(file.Path.Length == 0 ? "" : $" ({file.Path})")}: nothing tells whether {Amounts.Of(file.Blocks, "block")} of it {(file.Blocks == 1 ? "is" : "are")} right");
        }
        string holds = $"{report.Inodes} inodes, {report.DirectoryEntries} names";
        if (result.Kind == RepairKind.Checksums)
        {
            string done = result.Outcome switch
            {
                RepairOutcome.Planned => "would be repaired",
                RepairOutcome.Unchanged => "nothing to repair",
                _ => "repaired",
            };
            Console.WriteLine($"{target}: {done}; {holds}; {Compared(result)}"
                + (result.Outcome == RepairOutcome.Planned ? "; nothing was changed" : ""));
            return;
        }
        if (result.Kind != RepairKind.Rebuild)
        {
            Console.WriteLine(result.Outcome switch
            {
                RepairOutcome.Unchanged => $"{target}: nothing to repair; {holds}; data was not read (lakectl verify --full reads it)",
                RepairOutcome.Planned => $"{target}: would be repaired; nothing was changed",
                _ => $"{target}: repaired; {holds}; data was not read (lakectl verify --full reads it)",
            });
            return;
        }
        bool isPlanned = result.Outcome == RepairOutcome.Planned;
        Console.WriteLine(
            $"{target}: {(isPlanned ? "would be rebuilt" : "rebuilt")} with {holds}; {Compared(result)}"
            + (report.Clean ? "" : $"; {Amounts.Of(report.ProblemCount, "problem")}")
            + (isPlanned ? "; nothing was changed" : ""));
    }

    private static string Compared(RepairResult result) =>
        $"{result.BlocksRead} data blocks were compared: {result.DamagedBlocks} damaged, {result.MendedSums} checksums written anew as the files' "
        + $"identities prove them, {result.UnprovenBlocks} more of which nothing tells whether they are right";

    internal static void WritePlan(Utf8JsonWriter w, RepairPlan? plan)
    {
        if (plan is null)
        {
            return;
        }
        w.WriteString("uuid", plan.Uuid);
        w.WriteString("label", plan.Label);
        w.WriteBoolean("opens", plan.Opens);
        w.WriteNumber("finding_count", plan.FindingCount);
        w.WriteStrings("findings", plan.Findings);
        if (plan.Source is not { } source)
        {
            w.WriteBoolean("stays_clean", plan.StaysClean);
            return;
        }
        w.WriteStartObject("source");
        w.WriteNumber("base_segments", source.BaseSegments);
        w.WriteNumber("base_seq", source.BaseSeq);
        w.WriteNumber("log_segments", source.LogSegments);
        w.WriteNumber("region_frames", source.RegionFrames);
        w.WriteNumber("seq", source.Seq);
        w.WriteNumber("known_seq", source.KnownSeq);
        w.WriteString("archived", Time(source));
        w.WriteBoolean("complete", source.Complete);
        w.WriteStrings("notes", source.Notes);
        w.WriteEndObject();
    }

    private static void ShowSource(RebuildSource source, bool opens)
    {
        Line("plan", "make its metadata anew from the archive in its data region");
        Line("begins", source.BaseSegments == 0
            ? "with the lake's beginning, as mkfs made it"
            : $"with a base as of change {source.BaseSeq} ({Amounts.Of(source.BaseSegments, "segment")})");
        string frames = source.RegionFrames == 0 ? "" : $", then {Amounts.Of(source.RegionFrames, "frame")} still in the log itself";
        Line("log", $"{Amounts.Of(source.LogSegments, "archived segment")}{frames}");
        Line("until", $"change {source.Seq}; the newest segment was written {Time(source)}");
        Line("lost", source.KnownSeq > source.Seq
            ? $"what came after that: changes {source.Seq + 1} to {source.KnownSeq} are known of"
            : !source.Complete ? "a part of the log, as told below"
            : source.RegionFrames == 0 ? "what came after that, if anything did; nothing tells of it"
            : "nothing that is known of");
        foreach (string note in source.Notes)
        {
            Line("note", note);
        }
        Line("writes", "superblocks, log, page store and checksum table of the lake; no data");
        if (opens)
        {
            Line("", "the lake can be opened as it is: mounting it read-only may show more of it than comes back");
        }
    }

    private static string Time(RebuildSource source) =>
        DateTimeOffset.FromUnixTimeSeconds((long)source.ArchivedSec).ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static void Line(string word, string text) => Console.WriteLine($"  {word,-7} {Printable.Of(text)}");
}
