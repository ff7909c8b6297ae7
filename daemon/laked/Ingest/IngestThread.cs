// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using DeepLake.Abi;
using DeepLake.Engine;
using DeepLake.Engine.Archive;
using DeepLake.Engine.Ingest;
using DeepLake.Laked.Logging;
using DeepLake.Laked.OneShot;
using DeepLake.Laked.Serve;
using DeepLake.Platform;
using DeepLake.Storage;
using DeepLake.Transport;
using Microsoft.Extensions.Logging;

namespace DeepLake.Laked.Ingest;

/// <summary>
/// The ingest of one lake: seals files that have been quiet for a while, reads them back on a descriptor of
/// its own, has their reads checked from then on, gives them their identities, and has equal ones, and equal
/// pieces, share their blocks; packs what has been quiet for long; and writes bases of the archive. Holds no state that
/// matters: it looks, the kernel decides, the engine applies.
/// </summary>
internal sealed class IngestThread
{
    private const int ThreadStackBytes = 512 << 10;
    private const int AppliedPollMs = 1;

    private static readonly TimeSpan EnginePatience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(10);

    private readonly CommandQueue _commands;
    private readonly ILogger _logger;
    private readonly string _path;
    private readonly IngestPolicy _policy;
    private readonly PackPolicy _packPolicy;
    private readonly IngestQueue _queue = new();
    private readonly GatedDevice _device;
    private readonly GatedDevice _baseDevice;
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _stop = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly List<ulong> _found = [];
    private readonly AttachmentSealer _sealer;
    private readonly QueuedEngine _engine;
    private readonly SharedWords _words;
    private readonly DeviceUse _use;
    private readonly OwnUse _own;
    private readonly LakeActivity _activity = new();
    private readonly IngestPacer _pacer;
    private TimeSpan _lookAt;
    private ulong _ino;
    private ulong _scanFrom;
    private bool _isScanning;
    private TimeSpan _noticeAt;
    private TimeSpan _baseAt;
    private TimeSpan _anchorsAt;
    private bool _isStoring;
    private volatile PackPass? _packs;
    private volatile bool _hasEnded;

    private IngestThread(Attachment attachment, DirectBlockDevice device, DeviceUse use, OwnUse own, CommandQueue commands, ILogger logger, string path, IngestTimes times)
    {
        _sealer = new AttachmentSealer(attachment, own);
        _own = own;
        _words = new SharedWords(attachment.Memory);
        _use = use;
        _pacer = new IngestPacer(() => _clock.Elapsed, _stop.Wait, IsLakeBusy);
        _commands = commands;
        _logger = logger;
        _path = path;
        _policy = new IngestPolicy(times.SealAfter);
        _packPolicy = new PackPolicy(times.PackAfter);
        _device = new GatedDevice(device);
        _baseDevice = new GatedDevice(new ReopenedDevice(() => DirectBlockDevice.Open(path)));
        own.Add(_device);
        own.Add(_baseDevice);
        _engine = new QueuedEngine(OnEngine);
        _thread = new Thread(Run, ThreadStackBytes) { IsBackground = true, Name = $"ingest {path}" };
    }

    /// <summary>Null when nothing may be written to the device, or nothing is to be sealed.</summary>
    internal static IngestThread? Start(Attachment attachment, DeviceUse use, OwnUse own, CommandQueue commands, ILogger logger, string path, IngestTimes times)
    {
        if (times.SealAfter == TimeSpan.Zero)
        {
            return null;
        }
        try
        {
            var ingest = new IngestThread(attachment, DirectBlockDevice.Open(path), use, own, commands, logger, path, times);
            ingest._thread.Start();
            return ingest;
        }
        catch (StorageException e)
        {
            ServeEvents.IngestEnded(logger, e, path, e.Message);
            return null;
        }
    }

    /// <summary>Asks it to end; whether it has. The engine's thread has to go on serving until it has.</summary>
    internal bool TryEnd()
    {
        _stop.Set();
        return _hasEnded;
    }

    /// <summary>From here on it does nothing to the device.</summary>
    internal void CloseDevice()
    {
        _device.Close();
        _baseDevice.Close();
    }

    /// <summary>Nothing comes from it any more.</summary>
    internal bool HasEnded => _hasEnded;

    /// <summary>Nobody serves any more: nothing it could wait for comes.</summary>
    internal void End()
    {
        _stop.Set();
        CloseDevice();
        if (!_thread.Join(EndPatience))
        {
            // It holds the attachment, so no successor in this process could have the lake.
            Environment.FailFast($"the ingest of {_path} does not end");
        }
    }

    private void Run()
    {
        try
        {
            Superblock superblock = Superblock();
            using var table = new ChecksumTable(_device, superblock);
            using var readBack = new ReadBack(_device, table) { Pace = _pacer.Allow };
            using var anchors = new AnchorTable(_device, superblock) { Pace = _pacer.Allow };
            using var reader = new PieceReader(_device, table) { Pace = _pacer.Allow };
            var file = new FileIngest(_engine, _sealer, readBack, new PieceIngest(_engine, _sealer, reader, anchors))
            {
                Damaged = Tell,
                IsStopped = () => _stop.IsSet,
            };
            using var store = new PackStore(_engine, _sealer, _device, table);
            _packs = NewPass(new PackIngest(_engine, store, reader), new PackCollector(_engine, store, reader));
            // a daemon that has just come looks for what its predecessor left, after a while
            _scanFrom = 0;
            TimeSpan scanAt = _policy.QuietOf(0);
            while (!_stop.Wait(_isScanning ? IngestPolicy.ScanPause(IsLakeBusy()) : _policy.Tick))
            {
                Notice();
                if (_queue.HasForgotten || (_scanFrom == 0 && !_isScanning && _clock.Elapsed >= scanAt))
                {
                    (_queue.HasForgotten, _isScanning, _scanFrom) = (false, true, 0);
                }
                Work(file);
                StoreAnchors(anchors);
                ArchiveBase();
                _packs.Work();
            }
            LeaveAnchors(anchors);
        }
        catch (IngestEndException)
        {
        }
        catch (Exception e) when (e is StorageException or InvalidOperationException)
        {
            if (!_stop.IsSet)
            {
                ServeEvents.IngestEnded(_logger, e, _path, e.Message);
            }
        }
        finally
        {
            _device.Dispose();
            _baseDevice.Dispose();
            _hasEnded = true;
            _packs?.Leave();
            _commands.Wake();
        }
    }

    /// <summary>Packs, and rewrites packs, as soon as possible; for any thread. It ends at once when nothing is done any more.</summary>
    internal void Ask(PackRequest request)
    {
        if (_packs is { } packs)
        {
            packs.Ask(request);
        }

        if (_packs is null || _hasEnded)
        {
            request.End(Errno.ESHUTDOWN);
        }
    }

    private PackPass NewPass(PackIngest packs, PackCollector collector) => new(packs, collector, OnEngine, _packPolicy, () => _clock.Elapsed, TimeProvider.System)
    {
        Pace = _pacer.Allow,
        MustYield = () => _clock.Elapsed >= _noticeAt,
        IsStopped = () => _stop.IsSet,
        Wait = () => _stop.Wait(AppliedPollMs),
        Packed = (blocks, into) => ServeEvents.Packed(_logger, _path, blocks * (LakeFormat.BlockSize >> 10), into * (LakeFormat.BlockSize >> 10)),
    };

    private Superblock Superblock()
    {
        Superblock superblock = default;
        OnEngine(engine => superblock = engine.Superblock);
        return superblock;
    }

    /// <summary>What changed since the last time has to be quiet from now on.</summary>
    private void Notice()
    {
        _noticeAt = _clock.Elapsed + _policy.Tick;
        _found.Clear();
        bool overflowed = false;
        OnEngine(engine => overflowed = engine.Changes.Take(_found));
        _queue.HasForgotten |= overflowed;
        foreach (ulong ino in _found)
        {
            _queue.Put(ino, _clock.Elapsed + _policy.QuietOf(ino));
        }
        if (!_isScanning)
        {
            return;
        }
        _found.Clear();
        OnEngine(engine => _scanFrom = engine.FindUnfinished(_scanFrom, IngestPolicy.ScanInodes, _found));
        _isScanning = _scanFrom != ulong.MaxValue;
        foreach (ulong ino in _found)
        {
            _queue.PutIfAbsent(ino, _clock.Elapsed);
        }
    }

    private void Work(FileIngest file)
    {
        foreach (ulong ino in _queue.TakeDue(_clock.Elapsed))
        {
            if (_stop.IsSet)
            {
                return;
            }
            if (_clock.Elapsed >= _noticeAt)
            {
                Notice();
            }
            if (_queue.Contains(ino))
            {
                continue; // it changed while others had their turn
            }
            if (_policy.IsToBeUnsealed(ino))
            {
                Unseal(ino);
                continue;
            }
            Errno refusal = Ingest(ino, file);
            switch (refusal)
            {
                case Errno.None or Errno.ENOENT or Errno.EINVAL or Errno.ENOSPC:
                    break;
                case Errno.EBUSY or Errno.ENOMEM:
                    _queue.PutIfAbsent(ino, _clock.Elapsed + _policy.BusyPause);
                    break;
                case Errno.EAGAIN or Errno.EINTR:
                    _queue.PutIfAbsent(ino, _clock.Elapsed + _policy.QuietOf(ino));
                    break;
                default:
                    throw new IngestEndException(); // detached, shut down, read-only
            }
        }
    }

    private Errno Ingest(ulong ino, FileIngest file)
    {
        _ino = ino;
        _pacer.Allow(IngestPolicy.BytesPerFile);
        file.Begin(ino, LakeRing.SealBlocksMax);
        while (!file.IsDone && !_stop.IsSet)
        {
            file.Advance();
            if (file.IsWaiting)
            {
                _stop.Wait(AppliedPollMs);
            }
        }
        if (file.IsRewritten)
        {
            _policy.NoteRewrite(ino);
        }
        return file.Refusal;
    }

    /// <summary>Writes the anchors that wait, when they are many or have waited for long, until there is something else to do.</summary>
    private void StoreAnchors(AnchorTable anchors)
    {
        if (anchors.Pending == 0)
        {
            _anchorsAt = _clock.Elapsed + IngestPolicy.AnchorPause;
        }
        _isStoring |= anchors.Pending >= IngestPolicy.AnchorsOfAWrite || _clock.Elapsed >= _anchorsAt;
        while (_isStoring && !_stop.IsSet && _clock.Elapsed < _noticeAt)
        {
            _isStoring = anchors.Store(PieceIngest.PagesOfAStep);
        }
    }

    /// <summary>What there is time for at the end.</summary>
    private void LeaveAnchors(AnchorTable anchors)
    {
        TimeSpan end = _clock.Elapsed + IngestPolicy.AnchorsAtEnd;
        while (_clock.Elapsed < end && anchors.Store(PieceIngest.PagesOfAStep))
        {
        }
    }

    /// <summary>A base of the archive when one is wanted; one that cannot be finished is tried again later.</summary>
    private void ArchiveBase()
    {
        var engine = new QueuedArchive(OnEngine);
        if (_stop.IsSet || _clock.Elapsed < _baseAt || !engine.BaseIsWanted)
        {
            return;
        }
        long began = Stopwatch.GetTimestamp();
        bool isWritten = new BaseWriter(_baseDevice, engine, SmallEngine.Options) { IsStopped = () => _stop.IsSet, Pace = _pacer.Allow }.Run();
        _baseAt = _clock.Elapsed + IngestPolicy.BasePause;
        if (isWritten)
        {
            ServeEvents.BaseWritten(_logger, _path, (long)Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }
    }

    private void Tell(IReadOnlyList<ulong> damaged) => ServeEvents.DataDamaged(_logger, _path, _ino, damaged[0], damaged.Count);

    /// <summary>Back to being written in place.</summary>
    private void Unseal(ulong ino)
    {
        for (ulong from = 0; !_stop.IsSet && _engine.LookForSeal(ino, from, LakeRing.SealBlocksMax) is { MetadataIsFull: false } view; from = view.FileBlock + view.Blocks)
        {
            if (!view.HasSealed)
            {
                continue;
            }
            var args = new SealArgs
            {
                Ino = ino,
                Generation = view.Generation,
                MapSeq = ulong.MaxValue,
                FileBlock = view.FileBlock,
                Blocks = view.Blocks,
            };
            Errno refusal = _sealer.Unseal(ref args);
            if (refusal == Errno.EBUSY)
            {
                _queue.PutIfAbsent(ino, _clock.Elapsed + _policy.BusyPause); // somebody is writing: most likely here
                return;
            }
            if (refusal != Errno.None)
            {
                break;
            }
        }
        _policy.NoteUnsealed(ino);
    }

    private void OnEngine(Action<LakeEngine> work)
    {
        if (!_commands.TryRun((engine, _) => work(engine), EnginePatience))
        {
            throw new IngestEndException();
        }
    }

    /// <summary>As of the last look, which is not long ago.</summary>
    private bool IsLakeBusy()
    {
        TimeSpan now = _clock.Elapsed;
        if (now >= _lookAt)
        {
            _lookAt = now + IngestPolicy.LookInterval;
            _activity.Look(new LakeActivity.Counters(now, _words.LastSeq, _own.Intents, _use.BusyTime(), _own.BusyTime));
        }
        return _activity.IsBusy;
    }
}
