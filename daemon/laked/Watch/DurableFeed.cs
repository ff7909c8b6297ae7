// SPDX-License-Identifier: MPL-2.0
using DeepLake.Laked.Ingest;

namespace DeepLake.Laked.Watch;

/// <summary>
/// Tells those who follow the durable changes of a lake that there are new ones, or that it is over. The engine's
/// thread tells, and waits for nobody.
/// </summary>
internal sealed class DurableFeed
{
    private readonly Lock _lock = new();
    private readonly List<DurableFollower> _followers = [];
    private ulong _told; // the engine's thread only
    private ulong _nextLsn;
    private FeedState _state = FeedState.Open;

    /// <summary>On the engine's thread: all frames before this one are durable.</summary>
    internal void Publish(ulong nextLsn)
    {
        if (nextLsn == _told)
        {
            return;
        }

        _told = nextLsn;
        lock (_lock)
        {
            _nextLsn = nextLsn;
            foreach (DurableFollower follower in _followers)
            {
                follower.Wake();
            }
        }
    }

    /// <summary>Ends it for all followers; when this returns none reads the device any more.</summary>
    internal void Close(FeedState why)
    {
        lock (_lock)
        {
            _state = _state == FeedState.Open ? why : _state;
            foreach (DurableFollower follower in _followers)
            {
                follower.Device.Close();
                follower.Wake();
            }
        }
    }

    /// <summary>One more follower, whose device this is.</summary>
    internal DurableFollower Follow(GatedDevice device)
    {
        var follower = new DurableFollower(this, device);
        lock (_lock)
        {
            _followers.Add(follower);
            if (_state != FeedState.Open)
            {
                device.Close();
            }

            return follower;
        }
    }

    internal void Leave(DurableFollower follower)
    {
        lock (_lock)
        {
            _followers.Remove(follower);
        }
    }

    /// <summary>Whether there is anything new; else the follower is woken when there is.</summary>
    internal bool IsNew(DurableFollower follower, ulong nextLsn, out FeedState state)
    {
        lock (_lock)
        {
            state = _state;
            bool isNew = state != FeedState.Open || _nextLsn > nextLsn;
            follower.IsWaiting = !isNew;
            return isNew;
        }
    }
}
