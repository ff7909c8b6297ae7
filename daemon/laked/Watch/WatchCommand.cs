// SPDX-License-Identifier: MPL-2.0
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Laked.Control;
using DeepLake.Laked.Ingest;
using DeepLake.Laked.Serve;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Laked.Watch;

/// <summary>The durable changes of lakes that are served, for clients.</summary>
internal sealed class WatchCommand
{
    // Of all lakes; each takes a connection, of which there are twice as many, and 3 MiB at most.
    private const int WatchersMost = 8;
    private const long RecoveryMs = 60_000;
    private const int RecoveryPollMs = 100;

    private static readonly TimeSpan EnginePatience = TimeSpan.FromMinutes(1);

    private int _watchers;

    /// <param name="request">From where on.</param>
    /// <param name="server">The lake.</param>
    /// <param name="send">May throw when the client is gone.</param>
    /// <param name="clientFd">The client's socket.</param>
    internal WatchEnd Run(WatchRequest request, LakeServer server, Action<Response> send, int clientFd)
    {
        try
        {
            if (Interlocked.Increment(ref _watchers) > WatchersMost)
            {
                throw new CommandException(ErrorCode.ErrorBusy, $"{WatchersMost} others watch already", "end one of them, or let one pass its lines on to others");
            }

            AwaitServing(server);
            var device = new GatedDevice(new ReopenedDevice(() => DirectBlockDevice.Open(server.DevicePath, readOnly: true)));
            using DurableFollower follower = server.Feed.Follow(device);
            return new WatchSession(request, server.DevicePath, follower, OnEngine, send).Run(clientFd);
        }
        finally
        {
            Interlocked.Decrement(ref _watchers);
        }

        void OnEngine(Action<LakeEngine> work)
        {
            if (!server.Commands.TryRun((engine, _) => work(engine), EnginePatience))
            {
                throw new StorageException(Errno.ESTALE, $"{server.DevicePath} is not served any more");
            }
        }
    }

    private static void AwaitServing(LakeServer server)
    {
        for (long end = Environment.TickCount64 + RecoveryMs; server.State != LakeState.Serving; Thread.Sleep(RecoveryPollMs))
        {
            bool comes = server.State is LakeState.Attaching or LakeState.Recovering;
            if (!comes || Environment.TickCount64 > end)
            {
                throw new CommandException(
                    ErrorCode.ErrorBusy, $"{server.DevicePath} is {server.State.ToString().ToLowerInvariant()}: its changes cannot be read now", "see lakectl health");
            }
        }
    }
}
