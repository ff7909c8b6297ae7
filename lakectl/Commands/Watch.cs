// SPDX-License-Identifier: MPL-2.0
using System.CommandLine;
using System.Runtime.InteropServices;
using DeepLake.Control;
using DeepLake.Lakectl.Client;
using DeepLake.Lakectl.Output;
using DeepLake.Lakectl.Usage;

namespace DeepLake.Lakectl.Commands;

/// <summary><c>lakectl watch</c></summary>
internal static class Watch
{
    private const string Notes =
        """
        Shows each change of a mounted lake once it is durable: what a power cut could
        still take back is not shown. They come in the order in which they were made, with
        a cursor each in JSON. Begun again with the cursor of the last line that was read,
        it goes on with the next change: after an interruption, a restart of the daemon,
        an unmount and a mount. Without --since it begins with what comes; with --since
        oldest as far back as changes are kept (docs/watch.md). When what follows a cursor
        is not kept any more it says so, with the oldest cursor: it never leaves anything
        out in silence.

        What is written to a file without fsync or sync is durable after some seconds.
        Writes that follow each other may be one line. The paths are those of now: a file
        may have been elsewhere when it was changed; names are as they were. Data that is
        written anew in place shows by the file's times only, once its blocks have no
        checksum.

        It ends when it is interrupted, when nobody reads it any more, when the lake is
        unmounted, or with --once.
        """;

    internal static Command Create()
    {
        var target = new Argument<string?>("TARGET")
        {
            Description = "Device or any directory of a mounted lake, of which all changes are shown; may be left out when one is mounted",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var since = new Option<string?>("--since") { Description = "Begin behind this cursor; oldest: as far back as changes are kept", HelpName = "CURSOR" };
        var once = new Option<bool>("--once") { Description = "End at the newest change that is durable now" };
        var all = new Option<bool>("--all") { Description = "Also what laked does itself: sealing, sharing, archive, scrub, epochs" };
        Option<bool> json = CommandRunner.JsonOption();
        var command = new NotedCommand("watch", "Show the durable changes of a mounted lake as they come", Notes) { target, since, once, all, json };
        command.SetAction(parsed =>
        {
            bool isJson = parsed.GetValue(json);
            if (parsed.GetValue(since) is "")
            {
                // a variable that was not set in somebody's script; without one it would begin with what comes
                return CommandRunner.Fail(
                    ErrorCode.ErrorUsage, "the cursor of --since is empty", "copy it whole from a line of lakectl watch, or use --since oldest", isJson);
            }
            var watch = new WatchRequest { Cursor = parsed.GetValue(since) ?? "", Once = parsed.GetValue(once), All = parsed.GetValue(all) };
            if (parsed.GetValue(target) is { } name)
            {
                LakeTarget? lake = LakeTarget.Find(name, out string? problem);
                if (lake is not { IsMounted: true })
                {
                    return CommandRunner.Fail(
                        ErrorCode.ErrorNotFound, problem ?? $"{name} is not mounted", "name a mounted lake: its device, or a directory of it", isJson);
                }
                (watch.OneDevice, watch.DevMajor, watch.DevMinor) = (true, lake.Major, lake.Minor);
            }
            Request request = CommandRunner.NewRequest();
            request.Watch = watch;
            return Run(request, isJson);
        });
        return command;
    }

    private static int Run(Request request, bool json)
    {
        var text = new WatchText(json);
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, TellCursor);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, TellCursor);
        Response? end = new WatchClient(request, text.Show).Run();
        return end is null ? 0 : CommandRunner.Finish(end, new ProgressReporter(json), json, result =>
        {
            text.End(result.Watch);
            return 0;
        });

        // In JSON each line has one. It ends as it would without this.
        void TellCursor(PosixSignalContext context)
        {
            if (!json && request.Watch.Cursor.Length > 0)
            {
                Console.Error.WriteLine($"interrupted; go on with --since {request.Watch.Cursor}");
            }
        }
    }
}
