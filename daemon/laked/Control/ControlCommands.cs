// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using DeepLake.Abi;
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Engine.Subtree;
using DeepLake.Laked.Logging;
using DeepLake.Laked.Serve;
using DeepLake.Laked.Watch;
using DeepLake.Storage;
using Microsoft.Extensions.Logging;

namespace DeepLake.Laked.Control;

/// <summary>What a running daemon does for lakectl.</summary>
internal sealed class ControlCommands(DeviceWatcher watcher, LogBuffer log, ILogger<ControlCommands> logger)
{
    private static readonly TimeSpan EnginePatience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan WalkPatience = TimeSpan.FromMinutes(1);

    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly ScrubCommands _scrub = new(watcher);
    private readonly GcCommand _gc = new(watcher);
    private readonly WatchCommand _watch = new();

    /// <summary>Answers one request.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="send">May throw when the client is gone.</param>
    /// <param name="clientFd">The client's socket, to find out that it is gone while there is nothing to send.</param>
    internal void Answer(Request request, Action<Response> send, int clientFd)
    {
        Response response;
        try
        {
            response = new Response { Result = Run(request, send, clientFd) };
        }
        catch (CommandException e)
        {
            response = Responses.FromException(e);
        }
        catch (Exception e) when (e is not IOException)
        {
            ControlEvents.CommandFailed(logger, e, request.CommandCase.ToString());
            response = Responses.FromException(e.InnerException ?? e);
        }
        send(response);
    }

    private Result Run(Request request, Action<Response> send, int clientFd)
    {
        if (request.Version != ControlProtocol.Version)
        {
            throw new CommandException(
                ErrorCode.ErrorGeneral,
                $"the client speaks version {request.Version} of the control protocol, laked {ControlProtocol.Version}",
                "install lakectl and laked of one release");
        }
        return request.CommandCase switch
        {
            Request.CommandOneofCase.Ping => new Result { Pong = Ping() },
            Request.CommandOneofCase.Stats => new Result { Stats = Stats(request.Stats) },
            Request.CommandOneofCase.Metrics => new Result
            {
                Metrics = new Metrics { Text = MetricsText.Render(Stats(new StatsRequest()), _scrub.Health(new HealthRequest(), DescribeOpen)) },
            },
            Request.CommandOneofCase.Logs => new Result { Logs = Logs(request.Logs) },
            Request.CommandOneofCase.Verify => new Result { Verify = Verify(request.Verify, send) },
            Request.CommandOneofCase.Scrub => new Result { Scrub = _scrub.Scrub(request.Scrub) },
            Request.CommandOneofCase.Gc => new Result { Gc = _gc.Run(request.Gc, send) },
            Request.CommandOneofCase.Health => new Result { Health = _scrub.Health(request.Health, DescribeOpen) },
            Request.CommandOneofCase.Subtree => new Result { Subtree = Subtree(request.Subtree, send) },
            Request.CommandOneofCase.Watch => new Result { Watch = _watch.Run(request.Watch, FindToWatch(request.Watch), send, clientFd) },
            Request.CommandOneofCase.Mkfs or Request.CommandOneofCase.Import => throw new CommandException(
                ErrorCode.ErrorUsage, "the running daemon does not do this; it is done by a laked of its own", "use lakectl"),
            _ => throw new CommandException(ErrorCode.ErrorUsage, "the request names no command", "use lakectl"),
        };
    }

    internal static Pong Ping() => new()
    {
        Version = LakedVersion.Text,
        AbiVersion = LakeRing.AbiVersion,
        FormatVersion = LakeFormat.Version,
        ProcessId = (uint)Environment.ProcessId,
    };

    private Logs Logs(LogsRequest request)
    {
        var logs = new Logs { Dropped = log.Dropped };
        logs.Lines.AddRange(log.Last(request.Lines == 0 ? int.MaxValue : (int)Math.Min(request.Lines, int.MaxValue)));
        return logs;
    }

    private Stats Stats(StatsRequest request)
    {
        var stats = new Stats
        {
            Daemon = new DaemonStats
            {
                ProcessId = (uint)Environment.ProcessId,
                UptimeMs = (ulong)Stopwatch.GetElapsedTime(_started).TotalMilliseconds,
                RssBytes = (ulong)Environment.WorkingSet,
                ManagedHeapBytes = (ulong)GC.GetTotalMemory(forceFullCollection: false),
                LogLinesDropped = log.Dropped,
            },
        };
        IEnumerable<LakeServer> servers = request.OneDevice ? [Find(request.DevMajor, request.DevMinor)] : watcher.Servers;
        foreach (LakeServer server in servers)
        {
            stats.Lakes.Add(Describe(server));
        }
        return stats;
    }

    private VerifyReport Verify(VerifyRequest request, Action<Response> send)
    {
        LakeServer server = Find(request.DevMajor, request.DevMinor);
        VerifyReport report = MountedVerify.Run(server, request.Full, send);
        EngineCheck.AddUnknownEnd(report, server.WhyEndIsUnknown);
        return report;
    }

    private SubtreeStats Subtree(SubtreeRequest request, Action<Response> send)
    {
        LakeServer server = Find(request.DevMajor, request.DevMinor);
        return SubtreeCount.Run(request.Ino, Advance, server.DevicePath, send);

        void Advance(SubtreeWalk walk)
        {
            if (!server.Commands.TryRun((engine, _) => engine.Advance(walk), WalkPatience))
            {
                throw new CommandException(ErrorCode.ErrorBusy, $"{server.DevicePath} does not answer now", "ask again in a minute; see lakectl logs");
            }
        }
    }

    private LakeServer FindToWatch(WatchRequest request)
    {
        LakeServer[] servers = watcher.Servers;
        return request.OneDevice ? Find(request.DevMajor, request.DevMinor) : servers.Length switch
        {
            1 => servers[0],
            0 => throw new CommandException(ErrorCode.ErrorNotFound, "no lake is mounted", "mount one"),
            _ => throw new CommandException(ErrorCode.ErrorUsage, $"{servers.Length} lakes are mounted", "name the mount point or the device of one: " + string.Join(", ", servers.Select(s => s.DevicePath))),
        };
    }

    private static LakeStats Describe(LakeServer server) => DescribeOpen(server).Stats;

    // And whether its engine has answered.
    private static (LakeStats Stats, bool IsOpen) DescribeOpen(LakeServer server)
    {
        var lake = new LakeStats
        {
            Device = server.DevicePath,
            DevMajor = server.Major,
            DevMinor = server.Minor,
            State = server.State.ToString().ToLowerInvariant(),
            Failure = server.Failure,
            TakenOver = server.IsSuccessor,
        };
        // Filled on the engine's thread; when that is too busy to answer, its half-filled copy is left alone.
        LakeStats filled = lake.Clone();
        return server.Commands.TryRun(Fill, EnginePatience) ? (filled, true) : (lake, false);

        void Fill(LakeEngine engine, IBlockDevice device)
        {
            StatsReport.Fill(filled, engine, device);
            StatsReport.FillServed(filled, engine);
        }
    }

    private LakeServer Find(uint major, uint minor) =>
        watcher.Servers.FirstOrDefault(s => s.Major == major && s.Minor == minor) ?? throw new CommandException(
            ErrorCode.ErrorNotFound,
            $"no lake of device {major}:{minor} is mounted",
            "lakectl stats without arguments lists the mounted lakes");
}
