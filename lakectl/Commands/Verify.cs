// SPDX-License-Identifier: MPL-2.0
using System.CommandLine;
using System.Text.Json;
using DeepLake.Control;
using DeepLake.Lakectl.Client;
using DeepLake.Lakectl.Output;

namespace DeepLake.Lakectl.Commands;

/// <summary><c>lakectl verify</c></summary>
internal static class Verify
{
    internal static Command Create()
    {
        var target = new Argument<string>("TARGET") { Description = "Device, image file, or a directory of a mounted lake" };
        var full = new Option<bool>("--full") { Description = "Also read every data block and compare checksums (unmounted lakes)" };
        Option<bool> json = CommandRunner.JsonOption();
        var command = new Command("verify", "Check the structure of a lake; changes nothing") { target, full, json };
        command.SetAction(parsed =>
        {
            bool isJson = parsed.GetValue(json);
            string name = parsed.GetRequiredValue(target);
            LakeTarget? lake = LakeTarget.Find(name, out string? problem);
            if (lake is null)
            {
                return CommandRunner.Fail(ErrorCode.ErrorNotFound, problem!, "name a lake's device or mount point", isJson);
            }
            Request request = CommandRunner.NewRequest();
            request.Verify = new VerifyRequest { DevicePath = lake.Path, DevMajor = lake.Major, DevMinor = lake.Minor, Full = parsed.GetValue(full) };
            return lake.IsMounted
                ? CommandRunner.Daemon(request, isJson, result => Show(name, result.Verify, Advice(name, lake), isJson))
                : CommandRunner.OneShot(request, isJson, result => Show(name, result.Verify, Advice(name, lake), isJson));
        });
        return command;
    }

    // Damaged data is what only a backup has; the structure may be in the lake's archive.
    private static string Advice(string name, LakeTarget lake) =>
        "copy what you can read to another place; "
        + (lake.IsMounted ? "then unmount it, and lakectl repair DEVICE" : $"then lakectl repair {name}")
        + " tells whether its structure can be repaired, and with --full mends damaged checksums; damaged files come from a backup";

    private static int Show(string name, VerifyReport report, string advice, bool json)
    {
        if (json)
        {
            JsonLine.Write("verify", w =>
            {
                w.WriteString("target", name);
                w.WriteBoolean("clean", report.Clean);
                w.WriteNumber("problem_count", report.ProblemCount);
                w.WriteStrings("problems", report.Problems);
                w.WriteStrings("notes", report.Notes);
                w.WriteNumber("inodes", report.Inodes);
                w.WriteNumber("directory_entries", report.DirectoryEntries);
                w.WriteNumber("extents", report.Extents);
                w.WriteNumber("data_blocks", report.DataBlocks);
                w.WriteNumber("pages", report.Pages);
                w.WriteNumber("blocks_read", report.BlocksRead);
                WriteHowItWasOpened(w, report);
                w.WriteNumber("replayed_intents", report.ReplayedIntents);
            });
            return report.Clean ? 0 : (int)ErrorCode.ErrorPartial;
        }
        foreach (string problem in report.Problems)
        {
            Console.WriteLine($"problem: {Printable.Of(problem)}");
        }
        if (report.ProblemCount > (ulong)report.Problems.Count)
        {
            Console.WriteLine($"problem: {report.ProblemCount - (ulong)report.Problems.Count} more, which are not listed");
        }
        foreach (string note in report.Notes)
        {
            Console.WriteLine($"note: {Printable.Of(note)}");
        }
        bool isReadable = report.ProblemCount == 1 && ReportTexts.RestOf(report.Problems, ReportTexts.CheckpointIsDamaged) is not null;
        string read = report.BlocksRead == 0 ? "" : $", {report.BlocksRead} data blocks read and compared";
        string found = report.Clean ? "clean" : isReadable ? "readable, and nothing is lost: 1 problem" : Amounts.Of(report.ProblemCount, "problem");
        Console.WriteLine(
            $"{Printable.Of(name)}: {found}; {report.Inodes} inodes, {report.DirectoryEntries} names, {report.Extents} extents, "
            + $"{report.DataBlocks} data blocks, {report.Pages} metadata pages{read}");
        if (isReadable)
        {
            Messages.Error(
                $"{name}: its newest checkpoint is damaged, and the one before it was used",
                "mount it and unmount it, or run lakectl repair, which writes two new checkpoints, and verify it again; when damage comes back, replace the device");
        }
        else if (!report.Clean)
        {
            Messages.Error($"{name} is damaged", advice);
        }
        return report.Clean ? 0 : (int)ErrorCode.ErrorPartial;
    }

    // A daemon that took a mount over from another cannot tell how the lake was left before that mount; nor
    // can anybody when the superblock copy that tells is damaged.
    private static void WriteHowItWasOpened(Utf8JsonWriter w, VerifyReport report)
    {
        w.WriteBoolean("taken_over", report.TakenOver);
        if (report.TakenOver || ReportTexts.RestOf(report.Notes, ReportTexts.EndIsUnknown) is not null)
        {
            w.WriteNull("unmounted_cleanly");
        }
        else
        {
            w.WriteBoolean("unmounted_cleanly", report.UnmountedCleanly);
        }
    }
}
