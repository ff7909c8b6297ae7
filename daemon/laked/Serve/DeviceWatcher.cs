// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using DeepLake.Abi;
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
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(50);

    private readonly ServeOptions _options;
    private readonly ILogger<DeviceWatcher> _logger;
    private readonly ILogger<LakeServer> _serverLogger;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly Lock _lock = new();
    private readonly Dictionary<(uint Major, uint Minor), LakeServer> _servers = [];
    private readonly Thread _thread;
    private ControlFile? _control;
    private int _wakeFd = -1;
    private volatile bool _stopping;

    public DeviceWatcher(ServeOptions options, ILogger<DeviceWatcher> logger, ILogger<LakeServer> serverLogger, IHostApplicationLifetime lifetime)
    {
        _options = options;
        _logger = logger;
        _serverLogger = serverLogger;
        _lifetime = lifetime;
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

    public Task StartAsync(CancellationToken cancellationToken)
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
        return Task.CompletedTask;
    }

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
            _lifetime.StopApplication();
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
            var server = new LakeServer(wanted, _options, _serverLogger, Wake);
            _servers[(wanted.DevMajor, wanted.DevMinor)] = server;
            server.Start();
            return true;
        }
    }

    private void Wake() => _ = Linux.Write(_wakeFd, [1, 0, 0, 0, 0, 0, 0, 0], out _);
}
