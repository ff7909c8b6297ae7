// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using DeepLake.Abi;
using DeepLake.Engine;
using DeepLake.Laked.Logging;
using DeepLake.Platform;
using DeepLake.Transport;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DeepLake.Laked.Serve;

/// <summary>
/// Watches for mounts without a daemon and starts a server for each. A lake whose server has just failed
/// is tried again after a pause.
/// </summary>
internal sealed class DeviceWatcher : IHostedService, IDisposable
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);
    private const int SettlePollMs = 20;

    // The first lake, mostly the machine's root, gets most of the memory that the daemon may use: with
    // enough of it the metadata of some 200,000 files. It is locked, so a small machine gives less.
    internal static readonly EngineOptions OnlyBudget = new()
    {
        TreeCacheBytes = Math.Clamp(Linux.PhysicalMemoryBytes() / 32, 16L << 20, 64L << 20),
    };

    private static readonly EngineOptions FurtherBudget = new() { TreeCacheBytes = 4 << 20, PageStoreBytes = 16 << 20 };

    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(50);

    private readonly ServeOptions _options;
    private readonly ILogger _logger;
    private readonly ILogger _serverLogger;
    private readonly Action _failed;
    private readonly Lock _lock = new();
    private readonly Dictionary<(uint Major, uint Minor), LakeServer> _servers = [];
    private readonly Thread _thread;
    private ControlFile? _control;
    private int _wakeFd = -1;
    private volatile bool _stopping;

    /// <param name="options">Arguments of the daemon.</param>
    /// <param name="logger">For the watcher.</param>
    /// <param name="serverLogger">For the lakes' servers.</param>
    /// <param name="failed">Told when the control file stops working: nothing can be served any more.</param>
    internal DeviceWatcher(ServeOptions options, ILogger logger, ILogger serverLogger, Action failed)
    {
        _options = options;
        _logger = logger;
        _serverLogger = serverLogger;
        _failed = failed;
        _thread = new Thread(Run) { IsBackground = true, Name = "watcher" };
    }

    /// <summary>The lakes that are served, and those whose serving failed and was not begun again.</summary>
    internal LakeServer[] Servers
    {
        get
        {
            lock (_lock)
            {
                return [.. _servers.Values.Where(s => s.State != LakeState.Ended)];
            }
        }
    }

    /// <summary>Opens the control file and begins to watch. Before the host is there: a boot waits for it.</summary>
    /// <exception cref="IOException">There is no control file, or it cannot be opened.</exception>
    internal void Start()
    {
        Errno error = ControlFile.Open(_options.ControlDevice, out _control);
        if (error != Errno.None)
        {
            throw new IOException(
                $"cannot open {_options.ControlDevice}: {Linux.Describe(error)}; load the module (modprobe lakefs) and be root");
        }
        error = Linux.EventFd(out _wakeFd);
        if (error != Errno.None)
        {
            throw new IOException($"no event counter: {Linux.Describe(error)}");
        }
        _thread.Start();
    }

    /// <summary>Waits until no lake is on its way to being served, for a limited time.</summary>
    internal void WaitUntilSettled(TimeSpan patience)
    {
        long started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < patience && Servers.Any(s => s.State is LakeState.Attaching or LakeState.Recovering))
        {
            Thread.Sleep(SettlePollMs);
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _stopping = true;
        Wake();
        long started = Stopwatch.GetTimestamp();
        _thread.Join(RetryPause);
        LakeServer[] servers = Servers;
        foreach (LakeServer server in servers)
        {
            server.RequestStop();
        }
        foreach (LakeServer server in servers)
        {
            TimeSpan left = StopPatience - Stopwatch.GetElapsedTime(started);
            server.Join(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        }
        return Task.CompletedTask;
    }

    public void Dispose() => _control?.Dispose();

    private void Run()
    {
        PollDescriptor[] poll =
        [
            new() { FileDescriptor = _control!.FileDescriptor, Requested = PollEvents.In },
            new() { FileDescriptor = _wakeFd, Requested = PollEvents.In },
        ];
        var drain = new byte[8];
        try
        {
            while (!_stopping)
            {
                bool again = StartWanted();
                Errno error = Linux.Poll(poll, again ? (int)RetryPause.TotalMilliseconds : Timeout.Infinite, out _);
                if (error != Errno.None)
                {
                    throw new IOException(Linux.Describe(error));
                }
                _ = Linux.Read(_wakeFd, drain, out _);
            }
        }
        catch (IOException e)
        {
            ServeEvents.ControlFileFailed(_logger, e.Message);
            _failed();
        }
    }

    /// <summary>Starts servers for wanted devices; whether some have to be looked at again soon.</summary>
    private bool StartWanted()
    {
        bool again = false;
        ulong id = 0;
        while (!_stopping)
        {
            Errno error = _control!.NextWanted(id, out WantedArgs wanted);
            if (error == Errno.ENOENT)
            {
                return again;
            }
            if (error != Errno.None)
            {
                throw new IOException($"the list of wanted devices: {Linux.Describe(error)}");
            }
            id = wanted.Id;
            again |= !TryStart(wanted);
        }
        return false;
    }

    private bool TryStart(in WantedArgs wanted)
    {
        lock (_lock)
        {
            if (_servers.TryGetValue((wanted.DevMajor, wanted.DevMinor), out LakeServer? old) && !old.MayBeReplaced(RetryPause))
            {
                return false;
            }
            bool isOnly = !_servers.Values.Any(s => s.State is LakeState.Attaching or LakeState.Recovering or LakeState.Serving);
            var server = new LakeServer(wanted, _options, isOnly ? OnlyBudget : FurtherBudget, _serverLogger, Wake);
            _servers[(wanted.DevMajor, wanted.DevMinor)] = server;
            server.Start();
            return true;
        }
    }

    private void Wake() => _ = Linux.Write(_wakeFd, [1, 0, 0, 0, 0, 0, 0, 0], out _);
}
