// SPDX-License-Identifier: MPL-2.0
using System.CommandLine;
using DeepLake.Control;
using DeepLake.Lakectl.Client;
using DeepLake.Lakectl.Output;
using DeepLake.Lakectl.Usage;

namespace DeepLake.Lakectl.Commands;

/// <summary><c>lakectl gc</c></summary>
internal static class Gc
{
    private const string Notes =
        """
        The daemon of a mounted lake does this by itself from time to time; gc does it now,
        and waits for the end. Interrupted, it goes on in the daemon. A lake that is not
        mounted is opened, packed, and left as cleanly as it was.
        Compressed are files that nothing has changed for a day (laked serve
        --pack-after), with --all also those that have just been quiet for long enough to
        be known by their content. A file stays as it is when that would not save a
        quarter. Packs of which files use less than three quarters of what they take are
        written anew. Nothing that a file has is given up, and programs go on.
        Exit status 3: it ended early, and what was done stays.
        """;

    internal static Command Create()
    {
        var target = new Argument<string?>("TARGET")
        {
            Description = "A device, an image file, or a directory of a mounted lake: the only mounted one when left out",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var all = new Option<bool>("--all") { Description = "Compress files that were changed lately, too" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say how much is in packs that would be written anew" };
        Option<bool> json = CommandRunner.JsonOption();
        var command = new NotedCommand("gc", "Compress files that were quiet for long, and tidy their packs", Notes) { target, all, dryRun, json };
        command.SetAction(parsed => Run(parsed.GetValue(target), parsed.GetValue(all), parsed.GetValue(dryRun), parsed.GetValue(json)));
        return command;
    }

    private static int Run(string? name, bool all, bool dryRun, bool json)
    {
        if (all && dryRun)
        {
            return CommandRunner.Fail(ErrorCode.ErrorUsage, "--dry-run looks at packs only; --all is about files.", "see lakectl gc --help", json);
        }

        Request request = CommandRunner.NewRequest();
        request.Gc = new GcRequest { All = all, DryRun = dryRun };
        if (name is not null)
        {
            LakeTarget? lake = LakeTarget.Find(name, out string? problem);
            if (lake is null)
            {
                return CommandRunner.Fail(ErrorCode.ErrorNotFound, problem!, "name a lake's device or mount point", json);
            }

            (request.Gc.OneDevice, request.Gc.DevMajor, request.Gc.DevMinor, request.Gc.DevicePath) = (true, lake.Major, lake.Minor, lake.Path);
            if (!lake.IsMounted)
            {
                return CommandRunner.OneShot(request, json, result => Show(result.Gc, json));
            }
        }

        return CommandRunner.Daemon(request, json, result => Show(result.Gc, json));
    }

    private static int Show(GcResult result, bool json)
    {
        int status = result.Stopped.Length > 0 ? (int)ErrorCode.ErrorPartial : 0;
        if (json)
        {
            JsonLine.Write("gc", w =>
            {
                w.WriteString("device", result.Device);
                w.WriteBoolean("dry_run", result.DryRun);
                w.WriteNumber("packed_bytes", result.PackedBytes);
                w.WriteNumber("packed_into_bytes", result.PackedIntoBytes);
                w.WriteNumber("packs", result.Packs);
                w.WriteNumber("pack_bytes", result.PackBytes);
                w.WriteNumber("live_bytes", result.LiveBytes);
                w.WriteString("stopped", result.Stopped);
            });
            return status;
        }

        string device = Printable.Of(result.Device);
        if (!result.DryRun)
        {
            Console.WriteLine($"{device}: compressed {Sizes.Format(result.PackedBytes, plain: false)} of files into {Sizes.Format(result.PackedIntoBytes, plain: false)}");
        }

        string what = result.DryRun ? "would be written anew" : "written anew";
        Console.WriteLine($"{device}: {result.Packs} packs {what}: {Sizes.Format(result.PackBytes, plain: false)} with {Sizes.Format(result.LiveBytes, plain: false)} of files in them");
        if (status != 0)
        {
            Messages.Error($"{result.Device}: it ended early: {result.Stopped}", "what was done stays; make room and ask again");
        }

        return status;
    }
}
