// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using DeepLake.Abi;
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Laked.Logging;
using DeepLake.Laked.Serve;
using DeepLake.Storage;
using Microsoft.Extensions.Logging;

namespace DeepLake.Laked.Control;

/// <summary>What a running daemon does for lakectl.</summary>
internal sealed class ControlCommands(DeviceWatcher watcher, LogBuffer log, ILogger<ControlCommands> logger)
{
    private static readonly TimeSpan EnginePatience = TimeSpan.FromSeconds(3);

    private readonly long _started = Stopwatch.GetTimestamp();

    /// <summary>Answers one request; <paramref name="send"/> may throw when the client is gone.</summary>
    internal void Answer(Request request, Action<Response> send)
    {
        Response response;
        try
        {
            response = new Response { Result = Run(request, send) };
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

    private Result Run(Request request, Action<Response> send)
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
                Metrics = new Metrics { Text = MetricsText.Render(Stats(new StatsRequest())) },
            },
            Request.CommandOneofCase.Logs => new Result { Logs = Logs(request.Logs) },
            Request.CommandOneofCase.Verify => new Result
            {
                Verify = MountedVerify.Run(Find(request.Verify.DevMajor, request.Verify.DevMinor), request.Verify.Full, send),
            },
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

    private static LakeStats Describe(LakeServer server)
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
        return server.Commands.TryRun(Fill, EnginePatience) ? filled : lake;

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
