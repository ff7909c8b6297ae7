// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Engine.Scrub;
using DeepLake.Laked.Scrub;
using DeepLake.Laked.Serve;

namespace DeepLake.Laked.Control;

/// <summary>Scrub and health of the lakes that are served.</summary>
internal sealed class ScrubCommands(DeviceWatcher watcher)
{
    private const string MetricsPrefix = "lake_";
    private const long RecoveryMs = 60_000;
    private const int RecoveryPollMs = 100;

    private static readonly TimeSpan EnginePatience = TimeSpan.FromSeconds(10);

    internal ScrubReport Scrub(ScrubRequest request)
    {
        LakeServer server = ServedLake.Find(watcher, request.OneDevice, request.DevMajor, request.DevMinor);
        ScrubThread scrub = ScrubOf(server);
        bool wasRunning = scrub.Record?.Item.State == ScrubStage.Running;
        switch (request.Action)
        {
            case ScrubAction.ScrubStart:
                _ = scrub.Begin(request.BytesPerSecond);
                break;
            case ScrubAction.ScrubStop:
                _ = scrub.Stop();
                break;
            default:
                break;
        }

        ScrubReport report = Report(server, scrub) ?? throw new CommandException(
            ErrorCode.ErrorBusy, $"{server.DevicePath} does not answer now", "ask again in a minute; see lakectl logs");
        report.WasRunning = wasRunning;
        return report;
    }

    /// <param name="request">Which lake.</param>
    /// <param name="describe">The numbers of a lake, and whether its engine answered.</param>
    internal Health Health(HealthRequest request, Func<LakeServer, (LakeStats Stats, bool IsOpen)> describe)
    {
        var health = new Health();
        LakeServer[] servers = [.. watcher.Servers.Where(s => !request.OneDevice || (s.Major == request.DevMajor && s.Minor == request.DevMinor))];
        health.Lakes.AddRange(servers.Select(s => Health(s, describe)));
        foreach ((string device, uint major, uint minor, string reason) in KernelView.ShutDownMounts())
        {
            if (servers.Any(s => s.Major == major && s.Minor == minor) || (request.OneDevice && (major != request.DevMajor || minor != request.DevMinor)))
            {
                continue;
            }

            var lake = new LakeHealth { Stats = new LakeStats { Device = device, DevMajor = major, DevMinor = minor, State = "failed", Failure = $"the mount is shut down: {reason}" } };
            HealthVerdict.Judge(lake, isDamaged: false);
            health.Lakes.Add(lake);
        }

        if (request.OneDevice && health.Lakes.Count == 0)
        {
            throw new CommandException(
                ErrorCode.ErrorNotFound, $"no lake of device {request.DevMajor}:{request.DevMinor} is mounted", "lakectl health without arguments lists the mounted lakes");
        }

        return health;
    }

    /// <summary>For <see cref="MetricsText"/>: a name, what it is, and a sample for each lake that has one.</summary>
    internal static IEnumerable<(string Name, string Type, string Help, Func<LakeHealth, double?> Value)> Metrics =>
    [
        (MetricsPrefix + "health", "gauge", "0 healthy, 1 needs attention, 2 damaged; lakectl health says why.", h => h.Verdict switch { HealthVerdict.Healthy => 0, HealthVerdict.Attention => 1, _ => 2 }),
        (MetricsPrefix + "damaged_reads_total", "counter", "Reads of this mount that met damaged data.", h => h.IsOpen ? h.DamagedReads : null),
        (MetricsPrefix + "scrub_running", "gauge", "1 while a pass over all checked data is under way.", h => h.Scrub is { } s ? s.State == "running" ? 1 : 0 : null),
        (MetricsPrefix + "scrub_pass", "gauge", "Number of the pass under way, or of the last one.", h => h.Scrub?.Pass),
        (MetricsPrefix + "scrub_position_bytes", "gauge", "Bytes of files that this pass has compared with their checksums.", h => h.Scrub?.DoneBytes),
        (MetricsPrefix + "scrub_total_bytes", "gauge", "Bytes of files that are checked, which a pass compares.", h => h.Scrub?.TotalBytes),
        (MetricsPrefix + "scrub_damaged_blocks", "gauge", "Damaged blocks of 4096 bytes that this pass has found.", h => h.Scrub?.DamagedBlocks),
        (MetricsPrefix + "scrub_last_end_seconds", "gauge", "Unix time at which a pass was last done; 0: never.", h => h.Scrub?.EndedSec),
    ];

    private static LakeHealth Health(LakeServer server, Func<LakeServer, (LakeStats Stats, bool IsOpen)> describe)
    {
        (LakeStats stats, bool isOpen) = describe(server);
        var lake = new LakeHealth { Stats = stats, IsOpen = isOpen, DamagedReads = KernelView.DamagedReads(server.Major, server.Minor) };
        if (isOpen && server.Scrub is { } scrub)
        {
            lake.Scrub = Report(server, scrub);
            DamagedRange[] reads = [];
            if (server.Commands.TryRun((engine, _) => reads = [.. ScrubReports.Of(scrub.Reads.Copy(), engine)], EnginePatience))
            {
                lake.Reads.AddRange(reads);
            }
        }

        HealthVerdict.Judge(lake, server.IsDamaged);
        return lake;
    }

    // Null when the engine is too busy.
    private static ScrubReport? Report(LakeServer server, ScrubThread scrub)
    {
        if (scrub.Record is not { } record)
        {
            return null;
        }

        ScrubReport? report = null;
        bool done = server.Commands.TryRun((engine, _) => report = ScrubReports.Of(server.DevicePath, record, engine), EnginePatience);
        if (!done || report is null)
        {
            return null;
        }

        report.Problem = scrub.Problem;
        return report;
    }

    // Who waits for a pass asks a daemon, too, that has just come and recovers.
    private static ScrubThread ScrubOf(LakeServer server)
    {
        for (long end = Environment.TickCount64 + RecoveryMs; ; Thread.Sleep(RecoveryPollMs))
        {
            if (server.Scrub is { Record: not null } scrub)
            {
                return scrub;
            }

            bool comes = server.State is Serve.LakeState.Attaching or Serve.LakeState.Recovering or Serve.LakeState.Serving;
            if (!comes || Environment.TickCount64 > end)
            {
                throw new CommandException(ErrorCode.ErrorBusy, $"{server.DevicePath} is {Name(server.State)}: it cannot be scrubbed now", "see lakectl health");
            }
        }
    }

    private static string Name(Serve.LakeState state) => state.ToString().ToLowerInvariant();
}
