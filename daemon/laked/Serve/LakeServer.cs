// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using DeepLake.Abi;
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Laked.Ingest;
using DeepLake.Laked.Logging;
using DeepLake.Laked.Scrub;
using DeepLake.Laked.Watch;
using DeepLake.Metadata;
using DeepLake.Platform;
using DeepLake.Storage;
using DeepLake.Transport;
using Microsoft.Extensions.Logging;

namespace DeepLake.Laked.Serve;

/// <summary>
/// One mounted lake and the thread that serves it: attach, recover, then the ring loop until the mount
/// is gone, the daemon stops, or something fails. A failure is this lake's alone.
/// </summary>
internal sealed class LakeServer
{
    private const int ThreadStackBytes = 1 << 20;

    private readonly ServeOptions _options;
    private readonly EngineOptions _budget;
    private readonly ILogger _logger;
    private readonly Action _ended;
    private readonly Thread _thread;
    private readonly CommandQueue _commands = new();
    private volatile LakeState _state = LakeState.Attaching;
    private volatile IngestThread? _ingest;
    private volatile ScrubThread? _scrub;
    private volatile bool _isDamaged;
    private bool _stopRequested;
    private volatile string _failure = "";
    private volatile bool _isSuccessor;
    private volatile string? _whyEndIsUnknown;
    private long _endedAt;

    internal LakeServer(in WantedArgs wanted, ServeOptions options, EngineOptions budget, ILogger logger, Action ended)
    {
        _budget = budget with { ArchiveBaseBytes = options.BaseAfterBytes };
        _options = options;
        _logger = logger;
        _ended = ended;
        WantedId = wanted.Id;
        Major = wanted.DevMajor;
        Minor = wanted.DevMinor;
        DevicePath = $"{Major}:{Minor}";
        _thread = new Thread(Run, ThreadStackBytes) { IsBackground = true, Name = $"lake {Major}:{Minor}" };
    }

    internal ulong WantedId { get; }

    internal uint Major { get; }

    internal uint Minor { get; }

    internal string DevicePath { get; private set; }

    internal LakeState State => _state;

    /// <summary>The mount had been served by another daemon before this one attached.</summary>
    internal bool IsSuccessor => _isSuccessor;

    /// <summary>Why nobody can tell whether it was unmounted cleanly before this mount; null when that is known.</summary>
    internal string? WhyEndIsUnknown => _isSuccessor ? null : _whyEndIsUnknown;

    /// <summary>Why it failed; empty when it did not.</summary>
    internal string Failure => _failure;

    /// <summary>It failed because the lake's metadata is damaged.</summary>
    internal bool IsDamaged => _isDamaged;

    internal CommandQueue Commands => _commands;

    /// <summary>For who follows the durable changes.</summary>
    internal DurableFeed Feed { get; } = new();

    /// <summary>Null while it is not served.</summary>
    internal ScrubThread? Scrub => _scrub;

    /// <summary>Null while nothing is sealed or packed.</summary>
    internal IngestThread? Ingest => _ingest;

    internal void Start() => _thread.Start();

    /// <summary>Whether it has ended, and after a failure long enough ago.</summary>
    internal bool MayBeReplaced(TimeSpan pause) =>
        Volatile.Read(ref _endedAt) is var ended && ended != 0
        && (_state == LakeState.Ended || Stopwatch.GetElapsedTime(ended) >= pause);

    /// <summary>Asks for checkpoint and detach; <see cref="Join"/> waits for them.</summary>
    internal void RequestStop()
    {
        Volatile.Write(ref _stopRequested, true);
        _commands.Wake();
    }

    internal bool Join(TimeSpan timeout) => _thread.Join(timeout);

    private void Run()
    {
        Attachment? attachment = null;
        try
        {
            attachment = Attach();
            if (attachment is not null)
            {
                Serve(attachment);
            }
        }
        catch (OutOfMemoryException e)
        {
            // Nothing is wrong with the lake: a new process recovers and goes on.
            Environment.FailFast("out of memory", e);
        }
        catch (Exception e)
        {
            Fail(attachment, e);
        }
        finally
        {
            _commands.Close();
            Feed.Close(FeedState.Stopped);
            _ingest?.End();
            _scrub?.End();
            attachment?.Dispose();
            if (_state != LakeState.Failed)
            {
                _state = LakeState.Ended;
            }
            Volatile.Write(ref _endedAt, Stopwatch.GetTimestamp());
            _ended();
        }
    }

    private Attachment? Attach()
    {
        ServeEvents.Wanted(_logger, DevicePath);
        DevicePath = DeviceNode.Find(Major, Minor) ?? throw new IOException($"there is no device node for {Major}:{Minor}");
        Errno error = Attachment.Attach(_options.ControlDevice, Major, Minor, out Attachment? attachment, out uint kernelAbi);
        if (error == Errno.None)
        {
            AttachArgs info = attachment!.Info;
            _isSuccessor = info.Epoch != 0;
            ServeEvents.Attached(_logger, DevicePath, info.Generation, info.Epoch, info.DurableSeq, info.LastSeq);
            return attachment;
        }
        string reason = error == Errno.EPROTO
            ? $"the kernel module speaks ABI {kernelAbi}, this laked {LakeRing.AbiVersion}; install module and daemon of one release"
            : Linux.Describe(error);
        _failure = reason;
        _state = LakeState.Failed;
        ServeEvents.CannotAttach(_logger, DevicePath, reason);
        return null;
    }

    private void Serve(Attachment attachment)
    {
        _state = LakeState.Recovering;
        long started = Stopwatch.GetTimestamp();
        var sink = new AttachmentCommitSink(attachment);
        // The kernel decides, which knows whether programs may write: what a successor could not write would be lost, and acknowledged.
        bool isReadOnly = (attachment.Info.Flags & LakeRing.AttachReadOnly) != 0;
        using DirectBlockDevice direct = DirectBlockDevice.Open(DevicePath, isReadOnly);
        // One bad sector in what is there twice, or that nobody needs, does not keep a lake from being mounted.
        using var salvaging = new SalvagingDevice(direct);
        if (!isReadOnly)
        {
            LakeEngine.RequireWritable(salvaging);
        }

        // What the engine writes stays in memory.
        IBlockDevice device = isReadOnly ? new ReadOnlyOverlayDevice(salvaging) : salvaging;
        // one bad sector where the archive is read or written is not the end of the mount
        using ReopenedDevice? archive = isReadOnly ? null : new ReopenedDevice(() => DirectBlockDevice.Open(DevicePath));
        using LakeEngine engine = LakeEngine.Open(
            device, isReadOnly ? new DeviceCommitSink(device) : sink, _budget with { ArchiveDevice = archive, OnlyReads = isReadOnly });
        _whyEndIsUnknown = engine.WhyEndIsUnknown;
        ServeEvents.Recovered(
            _logger,
            DevicePath,
            (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds,
            engine.DurableSeq,
            engine.Epoch,
            _isSuccessor ? "taken over while mounted" : engine.WasClean ? "clean mark found" : "no clean mark",
            engine.ReplayedIntents);
        if (engine.LogLoss is { } loss)
        {
            ServeEvents.LogLost(_logger, DevicePath, loss);
        }
        if (engine.IndexWasDamaged)
        {
            ServeEvents.IndexDamaged(_logger, DevicePath, ReportTexts.IndexIsDamaged);
        }
        if (UnreadableBlocks.Describe(salvaging, engine.Superblock) is { } unreadable)
        {
            ServeEvents.DeviceUnreadable(_logger, DevicePath, unreadable);
        }

        DeclaredRange[] declared = Declare(attachment, engine);
        Require(attachment.MapRings(), "map the rings");
        Require(attachment.Ready(engine.MountEpoch, engine.DurableSeq), "start the rings");
        sink.IsOpen = attachment.Info.Epoch != 0;
        ServeEvents.Serving(_logger, DevicePath, declared.Length);
        _state = LakeState.Serving;
        var own = new OwnUse();
        _ingest = isReadOnly ? null : IngestThread.Start(attachment, new DeviceUse(Major, Minor), own, _commands, _logger, DevicePath, new IngestTimes(_options.SealAfter, _options.PackAfter));
        _scrub = ScrubThread.Start(attachment, new DeviceUse(Major, Minor), own, _commands, _logger, DevicePath);
        using var loop = new LakeLoop(attachment, sink, engine, device, _commands, _ingest, _scrub, Feed, _logger, DevicePath);
        loop.Run(ref _stopRequested);
    }

    private static DeclaredRange[] Declare(Attachment attachment, LakeEngine engine)
    {
        DeclaredRange[] ranges = [];
        if (attachment.Info.Epoch != 0)
        {
            Require(attachment.Declare(engine.DurableSeq, out ranges), "learn the mount's leases");
            engine.Declare(ranges, attachment.Info.LastSeq);
        }
        return ranges;
    }

    private void Fail(Attachment? attachment, Exception e)
    {
        // ESTALE and EPROTO of the attachment: a successor has taken over, or the kernel broke it off.
        bool fenced = e is StorageException { Errno: Errno.ESTALE };
        string reason = e is LakeFormatException or StorageException or IntentFaultException or IOException or RingException
            ? e.Message
            : $"{e.GetType().Name}: {e.Message}";
        _failure = reason;
        _isDamaged = e is StorageException { IsCorruption: true } or LakeFormatException { Errno: Errno.EUCLEAN } or MetadataCorruptException;
        _state = LakeState.Failed;
        ServeEvents.Failed(_logger, e, DevicePath, reason);
        if (attachment is not null && !fenced && e is not RingException { IsBrokenOff: true })
        {
            Errno errno = e switch
            {
                StorageException storage => storage.Errno,
                LakeFormatException format => format.Errno,
                IntentFaultException => Errno.EUCLEAN,
                RingException ring => ring.Errno,
                _ => Errno.EIO,
            };
            _ = attachment.Fail(errno == Errno.None ? Errno.EIO : errno, reason);
        }
    }

    private static void Require(Errno error, string what)
    {
        if (error != Errno.None)
        {
            throw new RingException(error, $"the kernel refused to {what}: {Linux.Describe(error)}");
        }
    }
}
