// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using DeepLake.Abi;
using DeepLake.Engine;
using DeepLake.Laked.Ingest;
using DeepLake.Laked.Logging;
using DeepLake.Laked.Scrub;
using DeepLake.Laked.Watch;
using DeepLake.Platform;
using DeepLake.Storage;
using DeepLake.Transport;
using Microsoft.Extensions.Logging;

namespace DeepLake.Laked.Serve;

/// <summary>
/// The loop of one engine thread: intents in, requests answered, commits when somebody waits or time is
/// up, checkpoints when due; then a short spin, then poll. See docs/ring-protocol.md.
/// </summary>
internal sealed class LakeLoop : IDisposable
{
    // One round takes at most this much, so that requests and waiters are looked at in between.
    private const ulong RoundBytes = 256 * 1024;
    private const int CommitBytes = LakeFormat.WalFrameMax / 2;
    private const ulong AppliedKickDistance = 4096;
    private const int FullRingPollMs = 1;

    private static readonly TimeSpan CommitAge = TimeSpan.FromSeconds(5);
    private static readonly long SpinTicks = Environment.ProcessorCount > 1 ? Stopwatch.Frequency / 20_000 : 0;

    private readonly byte[] _intent = GC.AllocateArray<byte>(LakeRing.IntentMax, pinned: true);
    private readonly Attachment _attachment;
    private readonly LakeEngine _engine;
    private readonly IBlockDevice _device;
    private readonly CommandQueue _commands;
    private readonly ILogger _logger;
    private readonly string _name;
    private readonly IngestThread? _ingest;
    private readonly ScrubThread? _scrub;
    private readonly DurableFeed _feed;
    private readonly SharedWords _words;
    private readonly IntentReader _intents;
    private readonly RequestService _requests;
    private readonly PollDescriptor[] _poll;
    private long _uncommittedSince;
    private ulong _kickedApplied;

    internal LakeLoop(Attachment attachment, AttachmentCommitSink sink, LakeEngine engine, IBlockDevice device, CommandQueue commands, IngestThread? ingest, ScrubThread? scrub, DurableFeed feed, ILogger logger, string name)
    {
        _attachment = attachment;
        _engine = engine;
        _device = device;
        _commands = commands;
        _logger = logger;
        _name = name;
        _words = new SharedWords(attachment.Memory);
        _intents = new IntentReader(attachment.Memory);
        _ingest = ingest;
        _scrub = scrub;
        _feed = feed;
        _requests = new RequestService(attachment.Memory, engine, sink, logger, name) { Unmounting = BeforeUnmount };
        _poll =
        [
            new PollDescriptor { FileDescriptor = attachment.FileDescriptor, Requested = PollEvents.In },
            new PollDescriptor { FileDescriptor = commands.EventFd, Requested = PollEvents.In },
        ];
    }

    // Full comes first: who sees the intents applied sees what they led to.
    private void PublishState()
    {
        _words.PublishFull(_engine.MetadataIsFull);
        _words.PublishApplied(_engine.AppliedSeq);
    }

    /// <summary>Serves until the mount is gone or a stop is asked for.</summary>
    internal void Run(ref bool stopRequested)
    {
        long spinUntil = 0;
        PublishState();
        // the others may be waiting for what only this thread answers: they end first
        while (!Volatile.Read(ref stopRequested) || !OthersHaveEnded())
        {
            bool worked = Round();
            if (IsOver())
            {
                TellEnd();
                return;
            }
            if (worked)
            {
                spinUntil = SpinTicks == 0 ? 0 : Stopwatch.GetTimestamp() + SpinTicks;
            }
            else if (spinUntil != 0 && Stopwatch.GetTimestamp() < spinUntil)
            {
                Thread.SpinWait(8);
            }
            else
            {
                spinUntil = 0;
                Sleep();
            }
        }
        StopOrderly();
    }

    public void Dispose() => _words.EndSleep();

    private bool OthersHaveEnded()
    {
        bool ingest = _ingest?.TryEnd() ?? true;
        return (_scrub?.TryEnd() ?? true) && ingest;
    }

    private void BeforeUnmount()
    {
        _ingest?.CloseDevice();
        _scrub?.Unmounting(_engine);
        _feed.Close(FeedState.Unmounted);
    }

    /// <summary>One look at everything; whether there was anything to do.</summary>
    private bool Round()
    {
        _words.Beat();
        bool worked = DrainIntents();
        int answered = _requests.AnswerSome();
        worked |= CommitIfDue();
        if (_engine.CheckpointDue)
        {
            // a slice of it a round, so that requests are answered in between
            if (!_engine.PrepareCheckpoint())
            {
                Checkpoint();
            }
            worked = true;
        }
        if (answered > 0 || _requests.IsBlocked || ShouldKick())
        {
            Kick();
        }
        if (_ingest?.HasEnded == true)
        {
            _engine.AbandonBase(); // nobody else does
        }
        if (_commands.HasWork)
        {
            bool wasClean = !_engine.HasUncommitted;
            _commands.RunAll(_engine, _device);
            if (wasClean)
            {
                _uncommittedSince = Stopwatch.GetTimestamp(); // an identity may have come, which is an entry of the log
            }
            worked = true;
        }
        _feed.Publish(_engine.NextLsn);
        return worked || answered > 0;
    }

    private bool DrainIntents()
    {
        bool any = false;
        while (_intents.UnpublishedBytes < RoundBytes)
        {
            ReadStatus status = _intents.TryRead(_intent, out int length);
            if (status == ReadStatus.Empty)
            {
                break;
            }
            if (status == ReadStatus.Broken)
            {
                throw new RingException(Errno.EPROTO, "the intent ring contradicts the protocol");
            }
            Apply(_intent.AsSpan(0, length));
            any = true;
        }
        if (any)
        {
            _intents.Publish();
            PublishState();
        }
        return any;
    }

    private void Apply(ReadOnlySpan<byte> intent)
    {
        bool wasClean = !_engine.HasUncommitted;
        _engine.Apply(intent);
        if (wasClean)
        {
            _uncommittedSince = Stopwatch.GetTimestamp();
        }
        if (_engine.UncommittedBytes >= CommitBytes)
        {
            _engine.Commit();
        }
    }

    private bool CommitIfDue()
    {
        if (!_engine.HasUncommitted || (_words.WantedSeq <= _engine.DurableSeq && Stopwatch.GetElapsedTime(_uncommittedSince) < CommitAge))
        {
            return false;
        }
        _engine.Commit();
        return true;
    }

    private void Checkpoint()
    {
        long started = Stopwatch.GetTimestamp();
        _engine.Checkpoint();
        ServeEvents.Checkpoint(_logger, _name, _engine.DurableSeq, (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds);
    }

    // Room in the ring that the kernel has a use for, or many inodes that it may let go of.
    private bool ShouldKick() =>
        (_words.KernelHoldsIntents && !_intents.HasEntries) || _engine.AppliedSeq - _kickedApplied >= AppliedKickDistance;

    private void Kick()
    {
        _kickedApplied = _engine.AppliedSeq;
        Errno error = _attachment.Kick();
        if (error != Errno.None && _words.State is not (ChannelState.Unmounted or ChannelState.Shutdown))
        {
            throw new RingException(error, $"the kernel broke the attachment off: {Linux.Describe(error)}") { IsBrokenOff = true };
        }
    }

    private bool IsOver() => _words.State is ChannelState.Unmounted or ChannelState.Shutdown;

    private void TellEnd()
    {
        if (_words.State == ChannelState.Unmounted)
        {
            ServeEvents.Unmounted(_logger, _name);
        }
        else
        {
            ServeEvents.ShutDown(_logger, _name);
        }
    }

    private void Sleep()
    {
        _words.BeginSleep();
        if (!_intents.HasEntries && !_requests.HasWork && !_commands.HasWork && !CommitIsWanted())
        {
            Errno error = Linux.Poll(_poll, SleepMs(), out _);
            if (error != Errno.None)
            {
                throw new RingException(error, $"poll: {Linux.Describe(error)}");
            }
        }
        _words.EndSleep();
        if ((_poll[1].Returned & PollEvents.In) != 0)
        {
            _commands.Drain();
        }
        if ((_poll[0].Returned & PollEvents.Error) != 0 && !IsOver())
        {
            throw new RingException(Errno.EPROTO, "the kernel broke the attachment off") { IsBrokenOff = true };
        }
        if ((_poll[0].Returned & PollEvents.HangUp) != 0 && !IsOver())
        {
            throw new RingException(Errno.ENODEV, "the mount is gone") { IsBrokenOff = true };
        }
    }

    private bool CommitIsWanted() => _engine.HasUncommitted && _words.WantedSeq > _engine.DurableSeq;

    private int SleepMs()
    {
        if (_requests.IsBlocked)
        {
            return FullRingPollMs;
        }
        if (!_engine.HasUncommitted)
        {
            return Timeout.Infinite;
        }
        TimeSpan left = CommitAge - Stopwatch.GetElapsedTime(_uncommittedSince);
        return left <= TimeSpan.Zero ? 0 : (int)left.TotalMilliseconds + 1;
    }

    // The kernel keeps what is not durable and gives it to the successor.
    private void StopOrderly()
    {
        while (DrainIntents())
        {
        }
        Checkpoint();
        ServeEvents.Detached(_logger, _name, _engine.DurableSeq);
        _ = _attachment.Detach();
    }
}
