// SPDX-License-Identifier: MPL-2.0
using System.CommandLine;
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
                ? CommandRunner.Daemon(request, isJson, result => Show(name, result.Verify, isJson))
                : CommandRunner.OneShot(request, isJson, result => Show(name, result.Verify, isJson));
        });
        return command;
    }

    private static int Show(string name, VerifyReport report, bool json)
    {
        if (json)
        {
            JsonLine.Write("verify", w =>
            {
                w.WriteString("target", name);
                w.WriteBoolean("clean", report.Clean);
                w.WriteNumber("problem_count", report.ProblemCount);
                w.WriteStrings("problems", report.Problems);
                w.WriteNumber("inodes", report.Inodes);
                w.WriteNumber("directory_entries", report.DirectoryEntries);
                w.WriteNumber("extents", report.Extents);
                w.WriteNumber("data_blocks", report.DataBlocks);
                w.WriteNumber("pages", report.Pages);
                w.WriteNumber("blocks_read", report.BlocksRead);
                w.WriteBoolean("unmounted_cleanly", report.UnmountedCleanly);
                w.WriteNumber("replayed_intents", report.ReplayedIntents);
            });
            return report.Clean ? 0 : (int)ErrorCode.ErrorPartial;
        }
        foreach (string problem in report.Problems)
        {
            Console.WriteLine($"problem: {problem}");
        }
        string read = report.BlocksRead == 0 ? "" : $", {report.BlocksRead} data blocks read and compared";
        string found = report.Clean ? "clean" : $"{report.ProblemCount} problems";
        Console.WriteLine(
            $"{name}: {found}; {report.Inodes} inodes, {report.DirectoryEntries} names, {report.Extents} extents, "
            + $"{report.DataBlocks} data blocks, {report.Pages} metadata pages{read}");
        if (!report.Clean)
        {
            Messages.Error($"{name} is damaged", "copy what you can read to another place, then restore from a backup");
        }
        return report.Clean ? 0 : (int)ErrorCode.ErrorPartial;
    }
}
