// SPDX-License-Identifier: MPL-2.0
using System.Net.Sockets;
using System.Runtime;
using DeepLake.Laked.Control;
using DeepLake.Laked.Logging;
using DeepLake.Laked.Scrub;
using DeepLake.Platform;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DeepLake.Laked.Serve;

/// <summary><c>laked serve</c>: the host with the device watcher and the control server.</summary>
internal static class ServeCommand
{
    private const string ReadyVariable = "LAKED_READY_FD";

    private const int ExitBusy = 11;

    private static readonly TimeSpan SettlePatience = TimeSpan.FromSeconds(5);

    internal static int Run(ServeOptions options)
    {
        if (IsServed(options.SocketPath))
        {
            Console.Error.WriteLine(
                $"laked: another laked serves this machine at {options.SocketPath}; it also serves lakes mounted later. "
                + "Stop it first (laked-launcher --stop) to run this one.");
            return ExitBusy;
        }
        var buffer = new LogBuffer();
        LogWriter writer;
        try
        {
            writer = new LogWriter(buffer, options.LogPath, toStandardError: true);
        }
        catch (IOException e)
        {
            Console.Error.WriteLine($"laked: {e.Message}");
            return 1;
        }
        using (writer)
        {
            return Run(options, buffer);
        }
    }

    /// <summary>Whether somebody listens there; a socket that a dead daemon left behind refuses.</summary>
    private static bool IsServed(string socketPath)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(socketPath));
            return true;
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            return false;
        }
    }

    // A boot waits for the first lake, and building a host takes many times as long as beginning to
    // watch: so the watcher runs first, and the host (signals, control socket) is built behind it.
    private static int Run(ServeOptions options, LogBuffer buffer)
    {
        using var provider = new BufferLoggerProvider(buffer, TimeProvider.System);
        ILogger logger = provider.CreateLogger(nameof(LakeServer));
        using var failure = new CancellationTokenSource();
        using var watcher = new DeviceWatcher(options, provider.CreateLogger(nameof(DeviceWatcher)), logger, failure.Cancel);
        if (options.LockMemory)
        {
            LockMemory(logger);
        }
        try
        {
            watcher.Start();
        }
        catch (IOException e)
        {
            buffer.Add($"laked cannot start: {e.Message}");
            return 1;
        }
        SignalReadiness();
        ServeEvents.Ready(logger, LakedVersion.Text, Environment.ProcessId, JitInfo.GetCompiledMethodCount(), (long)JitInfo.GetCompilationTime().TotalMilliseconds);
        watcher.WaitUntilSettled(SettlePatience);
        DamageEvents.Start(watcher, logger);
        using IHost host = Build(options, buffer, provider, watcher);
        host.Start();
        Preload.Start();
        host.WaitForShutdownAsync(failure.Token).GetAwaiter().GetResult();
        return failure.IsCancellationRequested ? 1 : 0;
    }

    internal static IHost Build(ServeOptions options, LogBuffer buffer, BufferLoggerProvider provider, DeviceWatcher watcher)
    {
        // No configuration files, environment or console: the daemon reads nothing but its arguments.
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.AddProvider(provider);
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(buffer);
        builder.Services.AddSingleton(watcher);
        builder.Services.AddSingleton<IHostedService>(watcher);
        builder.Services.AddSingleton<IHostLifetime, SignalLifetime>();
        builder.Services.AddSingleton<ControlCommands>();
        builder.Services.AddSingleton<IHostedService, ControlServer>();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(55));
        return builder.Build();
    }

    // A page fault must never have to wait for memory that only this daemon could free. On fault: what was
    // never touched takes no memory; the program's files are in memory anyway (a tmpfs at boot).
    internal static void LockMemory(ILogger logger)
    {
        Errno error = Linux.LockAllMemory(LockAllFlags.Current | LockAllFlags.Future | LockAllFlags.OnFault);
        if (error != Errno.None)
        {
            ServeEvents.NotLocked(logger, Linux.Describe(error));
        }
    }

    private static void SignalReadiness()
    {
        if (int.TryParse(Environment.GetEnvironmentVariable(ReadyVariable), out int fd))
        {
            _ = Linux.Write(fd, "R"u8, out _);
            Linux.Close(fd);
        }
    }
}
