// SPDX-License-Identifier: MPL-2.0
using DeepLake.Engine;
using DeepLake.Metadata;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Laked.Serve;

/// <summary>Work that other threads ask an engine's thread to do between two rounds of its loop.</summary>
internal sealed class CommandQueue
{
    private readonly Lock _lock = new();
    private readonly Queue<Pending> _queue = new();
    private int _eventFd;
    private bool _isClosed;

    internal CommandQueue()
    {
        Errno error = Linux.EventFd(out _eventFd);
        if (error != Errno.None)
        {
            throw new IOException($"no event counter: {Linux.Describe(error)}");
        }
    }

    /// <summary>For poll: readable when there is something to do.</summary>
    internal int EventFd => _eventFd;

    internal bool HasWork => Waiting > 0;

    /// <summary>Commands that were not begun yet.</summary>
    internal int Waiting
    {
        get
        {
            lock (_lock)
            {
                return _queue.Count;
            }
        }
    }

    /// <summary>Runs a function on the engine's thread; false when it has ended or does not answer in time.</summary>
    internal bool TryRun(Action<LakeEngine, IBlockDevice> work, TimeSpan timeout)
    {
        var pending = new Pending(work);
        lock (_lock)
        {
            if (_isClosed)
            {
                return false;
            }
            _queue.Enqueue(pending);
        }
        Wake();
        if (!pending.Done.Wait(timeout))
        {
            pending.IsAbandoned = true;
            return false;
        }
        if (pending.Failure is { } failure)
        {
            throw new InvalidOperationException(failure.Message, failure);
        }
        return !pending.IsAbandoned;
    }

    internal void Wake()
    {
        lock (_lock)
        {
            if (!_isClosed)
            {
                _ = Linux.Write(_eventFd, [1, 0, 0, 0, 0, 0, 0, 0], out _);
            }
        }
    }

    /// <summary>On the engine's thread: forgets the wake-ups so far.</summary>
    internal void Drain() => _ = Linux.Read(_eventFd, stackalloc byte[8], out _);

    /// <summary>On the engine's thread. A device error ends the lake, and so do damage of its metadata and a change that failed half way; anything else only the command.</summary>
    internal void RunAll(LakeEngine engine, IBlockDevice device)
    {
        while (true)
        {
            Pending? pending;
            lock (_lock)
            {
                if (!_queue.TryDequeue(out pending))
                {
                    return;
                }
            }
            try
            {
                if (!pending.IsAbandoned)
                {
                    pending.Work(engine, device);
                }
            }
            catch (Exception e) when (e is StorageException or MetadataCorruptException or IntentFaultException)
            {
                pending.Failure = e;
                throw;
            }
            catch (Exception e)
            {
                pending.Failure = e;
            }
            finally
            {
                pending.Done.Set();
            }
        }
    }

    internal void Close()
    {
        lock (_lock)
        {
            if (_isClosed)
            {
                return;
            }
            _isClosed = true;
            Linux.Close(_eventFd);
            _eventFd = -1;
            while (_queue.TryDequeue(out Pending? pending))
            {
                pending.IsAbandoned = true;
                pending.Done.Set();
            }
        }
    }

    private sealed class Pending(Action<LakeEngine, IBlockDevice> work)
    {
        internal Action<LakeEngine, IBlockDevice> Work { get; } = work;

        internal ManualResetEventSlim Done { get; } = new();

        internal volatile bool IsAbandoned;

        internal volatile Exception? Failure;
    }
}
