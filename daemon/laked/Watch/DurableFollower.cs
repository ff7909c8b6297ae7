// SPDX-License-Identifier: MPL-2.0
using DeepLake.Laked.Ingest;
using DeepLake.Platform;

namespace DeepLake.Laked.Watch;

/// <summary>One who follows a <see cref="DurableFeed"/>: waits without looking, and has the device that is closed with the feed.</summary>
internal sealed class DurableFollower : IDisposable
{
    private readonly DurableFeed _feed;
    private readonly int _eventFd;

    internal DurableFollower(DurableFeed feed, GatedDevice device)
    {
        _feed = feed;
        Device = device;
        Errno error = Linux.EventFd(out _eventFd);
        if (error != Errno.None)
        {
            throw new IOException($"no event counter: {Linux.Describe(error)}");
        }
    }

    internal GatedDevice Device { get; }

    /// <summary>Under the feed's lock.</summary>
    internal bool IsWaiting { get; set; }

    /// <summary>Under the feed's lock.</summary>
    internal void Wake()
    {
        if (IsWaiting)
        {
            IsWaiting = false;
            _ = Linux.Write(_eventFd, [1, 0, 0, 0, 0, 0, 0, 0], out _);
        }
    }

    /// <summary>Waits until a frame behind those that are known is durable, or until it is over.</summary>
    /// <param name="nextLsn">The frame that is not known yet.</param>
    /// <param name="clientFd">The client's socket, which has nothing more to say: an event of it is its end.</param>
    internal FeedState Wait(ulong nextLsn, int clientFd)
    {
        PollDescriptor[] poll =
        [
            new PollDescriptor { FileDescriptor = clientFd, Requested = PollEvents.In },
            new PollDescriptor { FileDescriptor = _eventFd, Requested = PollEvents.In },
        ];
        Span<byte> count = stackalloc byte[sizeof(ulong)];
        while (true)
        {
            if (_feed.IsNew(this, nextLsn, out FeedState state))
            {
                return state;
            }

            Errno error = Linux.Poll(poll, Timeout.Infinite, out _);
            if (error != Errno.None || poll[0].Returned != PollEvents.None)
            {
                return FeedState.ClientGone;
            }

            _ = Linux.Read(_eventFd, count, out _);
        }
    }

    public void Dispose()
    {
        _feed.Leave(this);
        Linux.Close(_eventFd);
        Device.Dispose();
    }
}
