// SPDX-License-Identifier: MPL-2.0
using System.CommandLine;
using System.Text.Json;
using DeepLake.Control;
using DeepLake.Lakectl.Output;
using DeepLake.Lakectl.Usage;

namespace DeepLake.Lakectl.Commands;

/// <summary><c>lakectl repair</c></summary>
internal static class Repair
{
    private const string Notes =
        """
        What is done is the least that helps, and is said before it is done:
          nothing      the lake opens and its structure is sound. Data is not read
                       then: lakectl verify --full does that.
          checkpoints  a superblock copy or the newest checkpoint is damaged, and
                       nothing is lost: both are written anew, at once.
          checksums    the checksum table is lost in places (all zero), so what it is
                       of cannot be read: the files' identities prove the data, and its
                       entries are written anew, at once. Of one that is damaged and
                       not zero only reading the data tells: --full does that.
          rebuild      the lake does not open, or its structure contradicts itself.
                       Its metadata is made anew from the archive in its data
                       region, which all of the device is read for. What happened
                       after the newest archived change is lost. Needs --rebuild
                       and --yes; --rebuild --dry-run does it in memory and says
                       what would come back.
        Exit status: 0 the metadata is whole, and so is all data that was read;
        1 not repaired; 2 --yes is missing; 3 repaired, but something is damaged,
        lost or cannot be proven.
        """;

    internal static Command Create()
    {
        var device = new Argument<string>("DEVICE") { Description = "Block device or image file with a lake that is not mounted" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Look and tell, change nothing" };
        var rebuild = new Option<bool>("--rebuild") { Description = "Make the metadata anew from the archive when nothing less helps" };
        var full = new Option<bool>("--full") { Description = "Read the data, too, and mend checksums that files' identities prove wrong" };
        var yes = new Option<bool>("--yes", "-y") { Description = "Overwrite the damaged metadata" };
        Option<bool> json = CommandRunner.JsonOption();
        var command = new NotedCommand("repair", "Make a damaged lake whole again with the least that does", Notes) { device, dryRun, full, rebuild, yes, json };
        command.SetAction(parsed =>
        {
            string name = parsed.GetRequiredValue(device);
            bool isJson = parsed.GetValue(json);
            if (CommandRunner.RefuseMounted(name, isJson) is { } status)
            {
                return status;
            }
            Request request = CommandRunner.NewRequest();
            request.Repair = new RepairRequest
            {
                DevicePath = Path.GetFullPath(name),
                DryRun = parsed.GetValue(dryRun),
                Rebuild = parsed.GetValue(rebuild),
                Yes = parsed.GetValue(yes),
                Full = parsed.GetValue(full),
            };
            RepairPlan? plan = null;
            return CommandRunner.OneShot(request, isJson, ShowPlan, result => Show(name, plan, result.Repair, isJson));

            void ShowPlan(RepairPlan told)
            {
                plan = told;
                RepairText.ShowPlan(name, told, isJson);
            }
        });
        return command;
    }

    private static int Show(string name, RepairPlan? plan, RepairResult result, bool json)
    {
        ErrorCode status = StatusOf(plan, result);
        if (json)
        {
            JsonLine.Write("repair", w => WriteJson(w, name, plan, result));
        }
        else
        {
            RepairText.ShowResult(name, result);
        }
        switch (result.Outcome)
        {
            case RepairOutcome.NeedsRebuild:
                Messages.Error($"{name} needs a rebuild; nothing was changed", $"see what comes back with lakectl repair --rebuild --dry-run {name}; lakectl repair --rebuild --yes {name} does it");
                break;
            case RepairOutcome.NeedsYes:
                Messages.Error(
                    $"a rebuild overwrites the metadata of {name}; nothing was changed",
                    $"see what comes back with lakectl repair --rebuild --dry-run {name}, then add --yes");
                break;
            case RepairOutcome.Unchanged when status == ErrorCode.ErrorPartial:
                Messages.Error($"{name} has damaged data, which no repair brings back; nothing was changed", $"lakectl verify --full {name} names the files: take them from a backup");
                break;
            case RepairOutcome.Repaired when status == ErrorCode.ErrorPartial:
                Messages.Error($"{name} is repaired, but not all of it is there and proven", WhatIsLeftToDo(plan, result));
                break;
        }
        return (int)status;
    }

    // What is lost has left no name, and of what is unproven nothing is known: verify cannot tell of either.
    private static string WhatIsLeftToDo(RepairPlan? plan, RepairResult result) => string.Join("; ", new[]
    {
        plan?.Source is { Complete: false } source ? $"what was changed after change {source.Seq} is lost, so compare the whole tree with a backup" : "",
        result.UnprovenBlocks > 0 ? "compare the files that are told as unproven with a backup" : "",
        result.DamagedBlocks > 0 || result.Report is not { Clean: true } ? "lakectl verify --full names the files that are damaged" : "",
    }.Where(part => part.Length > 0));

    private static ErrorCode StatusOf(RepairPlan? plan, RepairResult result) => result.Outcome switch
    {
        RepairOutcome.NeedsRebuild => ErrorCode.ErrorGeneral,
        RepairOutcome.NeedsYes => ErrorCode.ErrorUsage,
        _ when result.Kind == RepairKind.Checksums => result is { DamagedBlocks: 0, UnprovenBlocks: 0 } ? ErrorCode.ErrorUnspecified : ErrorCode.ErrorPartial,
        _ when result.Kind != RepairKind.Rebuild => ErrorCode.ErrorUnspecified,
        _ => IsWhole(plan, result) ? ErrorCode.ErrorUnspecified : ErrorCode.ErrorPartial,
    };

    private static bool IsWhole(RepairPlan? plan, RepairResult result) =>
        plan?.Source is { Complete: true } && result.Report is { Clean: true } && result is { DamagedBlocks: 0, UnprovenBlocks: 0 };

    private static void WriteJson(Utf8JsonWriter w, string name, RepairPlan? plan, RepairResult result)
    {
        w.WriteString("target", name);
        w.WriteString("kind", RepairText.NameOf(result.Kind));
        w.WriteString("outcome", RepairText.NameOf(result.Outcome));
        RepairText.WritePlan(w, plan);
        if (result.Report is { } report)
        {
            w.WriteBoolean("clean", report.Clean);
            w.WriteNumber("problem_count", report.ProblemCount);
            w.WriteStrings("problems", report.Problems);
            w.WriteNumber("inodes", report.Inodes);
            w.WriteNumber("directory_entries", report.DirectoryEntries);
        }
        if (result.Kind is RepairKind.Rebuild or RepairKind.Checksums && result.Report is not null)
        {
            w.WriteNumber("blocks_read", result.BlocksRead);
            w.WriteNumber("damaged_blocks", result.DamagedBlocks);
            w.WriteNumber("mended_checksums", result.MendedSums);
            w.WriteNumber("unproven_blocks", result.UnprovenBlocks);
            w.WriteStartArray("unproven_files");
            foreach (UnprovenFile file in result.UnprovenFiles)
            {
                w.WriteStartObject();
                w.WriteNumber("ino", file.Ino);
                w.WriteString("path", file.Path);
                w.WriteNumber("blocks", file.Blocks);
                w.WriteEndObject();
            }
            w.WriteEndArray();
        }
    }
}
