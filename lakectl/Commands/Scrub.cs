// SPDX-License-Identifier: MPL-2.0
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using DeepLake.Control;
using DeepLake.Lakectl.Client;
using DeepLake.Lakectl.Output;
using DeepLake.Lakectl.Usage;

namespace DeepLake.Lakectl.Commands;

/// <summary><c>lakectl scrub</c></summary>
internal static class Scrub
{
    private const int PollMs = 1000;
    private const ulong MostMebibytes = 1 << 20;

    private const string Notes =
        """
        start   begins a pass over all data that is checked, or goes on with one that was
                stopped; without --rate it reads up to 32 MiB/s, and 1 MiB/s while others
                use the lake. It goes on by itself after a restart of the daemon and after
                the next mount.
        status  how far it is, and what it and the last pass found
        stop    leaves it where it is
        Without one of these words: start. A directory of that name is written ./start.
        A lake that is not mounted is read at once, from its beginning to its end, and
        nothing of it is written down; all data, also what is not checked, compares
        lakectl verify --full.
        Exit status 3: a file has damaged data. With --wait, and of status, that counts.
        """;

    internal static Command Create()
    {
        var words = new Argument<string[]>("ACTION TARGET")
        {
            Description = "start, status or stop; and a device, an image file, or a directory of a mounted lake: the only mounted one when left out",
            Arity = new ArgumentArity(0, 2),
        };
        var rate = new Option<ulong?>("--rate") { Description = "Read so many MiB each second, also while others use the lake", HelpName = "MIB" };
        rate.Validators.Add(result =>
        {
            if (result.Tokens is not [var token] || !ulong.TryParse(token.Value, NumberStyles.None, CultureInfo.InvariantCulture, out ulong mib) || mib is 0 or > MostMebibytes)
            {
                result.AddError($"--rate takes whole MiB a second, from 1 to {MostMebibytes}.");
            }
        });
        var wait = new Option<bool>("--wait") { Description = "Wait until the pass is done or stopped, and show how far it is" };
        Option<bool> json = CommandRunner.JsonOption();
        var command = new NotedCommand("scrub", "Compare all checked data of a lake with its checksums", Notes) { words, rate, wait, json };
        command.SetAction(parsed =>
        {
            bool isJson = parsed.GetValue(json);
            string[] given = parsed.GetValue(words) ?? [];
            ScrubAction action = ActionOf(given.FirstOrDefault()) ?? ScrubAction.ScrubStart;
            string[] targets = given.Length > 0 && ActionOf(given[0]) is not null ? given[1..] : given;
            string? problem = targets.Length > 1 ? $"{targets[0]} is neither start, status nor stop."
                : action != ScrubAction.ScrubStart && parsed.GetValue(rate) is not null ? "--rate belongs to start."
                : action == ScrubAction.ScrubStop && parsed.GetValue(wait) ? "--wait does not belong to stop." : null;
            if (problem is not null)
            {
                return CommandRunner.Fail(ErrorCode.ErrorUsage, problem, "see lakectl scrub --help", isJson);
            }

            return Run(action, targets.FirstOrDefault(), parsed.GetValue(rate) ?? 0, parsed.GetValue(wait), isJson);
        });
        return command;
    }

    /// <summary>For health, too.</summary>
    internal static string Progress(ScrubReport report) => report.State switch
    {
        "never" => "never",
        "done" => Ended(report),
        _ => $"pass {report.Pass} {(report.State == "running" ? "under way" : report.State == "waiting" ? "goes on with the next mount" : "stopped")}, begun {Time(report.BegunSec)}: "
            + $"{Sizes.Format(report.DoneBytes, plain: false)} of {Sizes.Format(report.TotalBytes, plain: false)} compared, {Amounts.Of(report.DamagedBlocks, "block")} damaged"
            + (report.EndedPass > 0 ? $"; before that {Ended(report)}" : ""),
    };

    internal static void WriteJson(Utf8JsonWriter w, ScrubReport report)
    {
        w.WriteString("device", report.Device);
        w.WriteString("state", report.State);
        w.WriteNumber("pass", report.Pass);
        w.WriteNumber("begun_sec", report.BegunSec);
        w.WriteNumber("done_bytes", report.DoneBytes);
        w.WriteNumber("total_bytes", report.TotalBytes);
        w.WriteNumber("damaged_blocks", report.DamagedBlocks);
        w.WriteNumber("ended_pass", report.EndedPass);
        w.WriteNumber("ended_sec", report.EndedSec);
        w.WriteNumber("ended_bytes", report.EndedBytes);
        w.WriteNumber("ended_damaged_blocks", report.EndedDamagedBlocks);
        w.WriteNumber("bytes_per_second", report.BytesPerSecond);
        w.WriteString("problem", report.Problem);
        WriteRanges(w, "damaged", report.Damaged);
        w.WriteNumber("left_out", report.LeftOut);
    }

    internal static void WriteRanges(Utf8JsonWriter w, string name, IEnumerable<DamagedRange> ranges)
    {
        w.WriteStartArray(name);
        foreach (DamagedRange range in ranges)
        {
            w.WriteStartObject();
            w.WriteNumber("ino", range.Ino);
            w.WriteStrings("paths", range.Paths);
            w.WriteNumber("first_byte", range.FirstByte);
            w.WriteNumber("last_byte", range.LastByte);
            w.WriteNumber("device_block", range.DeviceBlock);
            w.WriteString("kind", range.Kind);
            w.WriteNumber("found_sec", range.FoundSec);
            w.WriteBoolean("is_gone", range.IsGone);
            w.WriteEndObject();
        }

        w.WriteEndArray();
    }

    private static ScrubAction? ActionOf(string? word) => word switch
    {
        "start" => ScrubAction.ScrubStart,
        "status" => ScrubAction.ScrubStatus,
        "stop" => ScrubAction.ScrubStop,
        _ => null,
    };

    private static int Run(ScrubAction action, string? name, ulong mebibytes, bool wait, bool json)
    {
        Request request = CommandRunner.NewRequest();
        request.Scrub = new ScrubRequest { Action = action, BytesPerSecond = mebibytes << 20 };
        LakeTarget? lake = null;
        if (name is not null)
        {
            lake = LakeTarget.Find(name, out string? problem);
            if (lake is null)
            {
                return CommandRunner.Fail(ErrorCode.ErrorNotFound, problem!, "name a lake's device or mount point", json);
            }

            (request.Scrub.OneDevice, request.Scrub.DevMajor, request.Scrub.DevMinor, request.Scrub.DevicePath) = (true, lake.Major, lake.Minor, lake.Path);
        }

        if (lake is { IsMounted: false })
        {
            return CommandRunner.OneShot(request, json, result => Show(result.Scrub, json, action != ScrubAction.ScrubStop));
        }

        return wait ? Wait(request, json) : CommandRunner.Daemon(request, json, result => Tell(action, result.Scrub, json));
    }

    // Asked again and again, so that a daemon may be replaced meanwhile.
    private static int Wait(Request request, bool json)
    {
        var reporter = new ProgressReporter(json);
        while (true)
        {
            Response response = DaemonClient.Run(request, _ => { });
            request.Scrub.Action = ScrubAction.ScrubStatus;
            if (response.Result?.Scrub is not { State: "running" } report)
            {
                return CommandRunner.Finish(response, reporter, json, result => Show(result.Scrub, json, counts: true));
            }

            reporter.Show(new Progress { Phase = $"scrubbing {report.Device}", Done = report.DoneBytes, Total = report.TotalBytes, Unit = "bytes" });
            Thread.Sleep(PollMs);
        }
    }

    // What a person is told who has started or stopped it, or asks.
    private static int Tell(ScrubAction action, ScrubReport report, bool json)
    {
        if (!json && action == ScrubAction.ScrubStart)
        {
            Console.WriteLine(Printable.Of($"{report.Device}: pass {report.Pass} {(report.WasRunning ? "was under way already" : "is under way")}; lakectl scrub status shows how far it is"));
            return 0;
        }

        if (!json && action == ScrubAction.ScrubStop && !report.WasRunning)
        {
            Console.WriteLine(Printable.Of($"{report.Device}: no pass was under way"));
            return 0;
        }

        return Show(report, json, counts: action == ScrubAction.ScrubStatus);
    }

    /// <param name="report">How it stands.</param>
    /// <param name="json">For programs.</param>
    /// <param name="counts">The exit status says whether something is damaged.</param>
    private static int Show(ScrubReport report, bool json, bool counts)
    {
        bool isDamaged = report.DamagedBlocks > 0 && report.State != "done" || report.LeftOut > 0 || report.Damaged.Any(d => !d.IsGone);
        int status = isDamaged && counts ? (int)ErrorCode.ErrorPartial : 0;
        if (json)
        {
            JsonLine.Write("scrub", w => WriteJson(w, report));
            return status;
        }

        foreach (DamagedRange range in report.Damaged)
        {
            Console.WriteLine($"{(range.IsGone ? "was damaged" : "damaged")}: {Printable.Of(Describe(range))}");
        }

        if (report.LeftOut > 0)
        {
            Console.WriteLine($"damaged: {report.LeftOut} more ranges; lakectl logs has the first of them");
        }

        Console.WriteLine($"{Printable.Of(report.Device)}: {(report.State == "never" ? "never scrubbed" : Progress(report))}");
        if (report.Problem.Length > 0)
        {
            Messages.Warn($"it cannot go on: {report.Problem}; it is tried again each minute");
        }

        if (status != 0)
        {
            Messages.Error($"{report.Device} has damaged data", "copy what can be read of these files, restore them from a backup, then delete the damaged ones");
        }

        return status;
    }

    private static string Describe(DamagedRange range)
    {
        string file = range.Paths.Count > 0 ? string.Join(", ", range.Paths) : $"inode {range.Ino}, which has no name any more";
        string what = range.Kind == "unreadable" ? "cannot be read" : "do not match their checksum";
        string gone = range.IsGone ? "; the file does not use that block any more" : "";
        return $"{file}: bytes {range.FirstByte} to {range.LastByte} {what} (block {range.DeviceBlock} of the device){gone}";
    }

    private static string Ended(ScrubReport report) =>
        $"pass {report.EndedPass} done {Time(report.EndedSec)}: {Sizes.Format(report.EndedBytes, plain: false)} compared, {Amounts.Of(report.EndedDamagedBlocks, "block")} damaged";

    private static string Time(ulong seconds) =>
        DateTimeOffset.FromUnixTimeSeconds((long)seconds).ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
