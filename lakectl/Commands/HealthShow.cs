// SPDX-License-Identifier: MPL-2.0
using System.CommandLine;
using System.Text.Json;
using DeepLake.Control;
using DeepLake.Lakectl.Client;
using DeepLake.Lakectl.Output;
using DeepLake.Lakectl.Usage;

namespace DeepLake.Lakectl.Commands;

/// <summary><c>lakectl health</c></summary>
internal static class HealthShow
{
    private const string Healthy = "healthy";

    private const string Notes =
        """
        The first line of a lake is its verdict: healthy, needs attention, or damaged.
        Below are what it rests on and, for each thing that is not as it should be, its
        cause and what to do next. Exit status 0 when all are healthy, 3 when not, and 1
        when it cannot be told, as of a lake that cannot be opened.
        What it says names files, so only root may ask (laked answers nobody else).
        """;

    internal static Command Create()
    {
        var target = new Argument<string?>("TARGET")
        {
            Description = "Device, image file, or a directory of a mounted lake; all mounted lakes when left out",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<bool> json = CommandRunner.JsonOption();
        var command = new NotedCommand("health", "Say whether a lake is as it should be, and what to do when not", Notes) { target, json };
        command.SetAction(parsed => Run(parsed.GetValue(target), parsed.GetValue(json)));
        return command;
    }

    private static int Run(string? name, bool json)
    {
        Request request = CommandRunner.NewRequest();
        request.Health = new HealthRequest();
        LakeTarget? lake = null;
        if (name is not null)
        {
            lake = LakeTarget.Find(name, out string? problem);
            if (lake is null)
            {
                return CommandRunner.Fail(ErrorCode.ErrorNotFound, problem!, "name a lake's device or mount point", json);
            }

            request.Health = new HealthRequest { OneDevice = true, DevMajor = lake.Major, DevMinor = lake.Minor, DevicePath = lake.Path };
        }

        return lake is { IsMounted: false }
            ? CommandRunner.OneShot(request, json, result => Show(result.Health, json))
            : CommandRunner.Daemon(request, json, result => Show(result.Health, json));
    }

    private static int Show(Health health, bool json)
    {
        if (json)
        {
            JsonLine.Write("health", w => WriteJson(w, health));
        }
        else
        {
            foreach (LakeHealth lake in health.Lakes)
            {
                ShowLake(lake);
            }

            if (health.Lakes.Count == 0)
            {
                Console.WriteLine("no lake is mounted");
            }
        }

        return health.Lakes.All(l => l.Verdict == Healthy) ? 0 : (int)ErrorCode.ErrorPartial;
    }

    private static void ShowLake(LakeHealth lake)
    {
        LakeStats stats = lake.Stats;
        string verdict = lake.Verdict == "attention" ? "needs attention" : lake.Verdict;
        Console.WriteLine(Printable.Of($"{stats.Device}: {verdict}"));
        Line("state", Printable.Of(stats.State + (stats.Failure.Length > 0 ? ": " + stats.Failure : "")));
        if (lake.IsOpen)
        {
            Line("data", StatsShow.DataLine(stats, plain: false));
            Line("metadata", $"{stats.Counters.GetValueOrDefault("metadata_pages")} of {stats.Counters.GetValueOrDefault("metadata_capacity_pages")} pages");
            Console.WriteLine($"  {StatsShow.HowItWasOpened(stats)}");
            Line("checked", $"{Sizes.Format(stats.Counters.GetValueOrDefault("checked_blocks") * 4096, plain: false)} of files, on every read");
        }

        if (lake.Scrub is { } scrub)
        {
            Line("scrub", Printable.Of(Scrub.Progress(scrub)));
        }

        if (lake.IsOpen && stats.State != "offline")
        {
            Line("reads", lake.DamagedReads == 0 ? "none has met damaged data in this mount" : $"{lake.DamagedReads} have met damaged data in this mount");
        }

        foreach (HealthFinding finding in lake.Findings)
        {
            Console.WriteLine($"{(finding.IsDamage ? "damage" : "attention")}: {Printable.Of(finding.Cause)}");
            Console.WriteLine($"  next: {Printable.Of(finding.NextStep)}");
        }
    }

    private static void Line(string name, string text) => Console.WriteLine($"  {name,-11} {text}");

    private static void WriteJson(Utf8JsonWriter w, Health health)
    {
        w.WriteStartArray("lakes");
        foreach (LakeHealth lake in health.Lakes)
        {
            WriteLake(w, lake);
        }

        w.WriteEndArray();
    }

    private static void WriteLake(Utf8JsonWriter w, LakeHealth lake)
    {
        LakeStats stats = lake.Stats;
        w.WriteStartObject();
        w.WriteString("device", stats.Device);
        w.WriteString("uuid", stats.Uuid);
        w.WriteString("verdict", lake.Verdict);
        w.WriteString("state", stats.State);
        w.WriteString("failure", stats.Failure);
        w.WriteStartArray("findings");
        foreach (HealthFinding finding in lake.Findings)
        {
            w.WriteStartObject();
            w.WriteString("what", finding.What);
            w.WriteBoolean("is_damage", finding.IsDamage);
            w.WriteString("cause", finding.Cause);
            w.WriteString("next_step", finding.NextStep);
            w.WriteEndObject();
        }

        w.WriteEndArray();
        w.WriteNumber("damaged_reads", lake.DamagedReads);
        Scrub.WriteRanges(w, "reads", lake.Reads);
        if (lake.Scrub is { } scrub)
        {
            w.WriteStartObject("scrub");
            Scrub.WriteJson(w, scrub);
            w.WriteEndObject();
        }

        w.WriteNumber("data_blocks", stats.DataBlocks);
        w.WriteNumber("free_blocks", stats.FreeBlocks);
        w.WriteBoolean("was_clean", stats.WasClean);
        w.WriteBoolean("taken_over", stats.TakenOver);
        w.WriteBoolean("fell_back", stats.FellBack);
        w.WriteNumber("replayed_intents", stats.ReplayedIntents);
        w.WriteEndObject();
    }
}
