// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using DeepLake.Abi;
using DeepLake.Engine;
using DeepLake.Engine.Ingest;
using DeepLake.Laked.Logging;
using DeepLake.Laked.Serve;
using DeepLake.Platform;
using DeepLake.Storage;
using DeepLake.Transport;
using Microsoft.Extensions.Logging;

namespace DeepLake.Laked.Ingest;

/// <summary>
/// The ingest of one lake: seals files that have been quiet for a while, reads them back on a descriptor of
/// its own, has their reads checked from then on, gives them their identities, and has equal ones share
/// their blocks. Holds no state that matters: it looks, the kernel decides, the engine applies.
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
    private readonly IngestQueue _queue = new();
    private readonly GatedDevice _device;
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _stop = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly List<ulong> _found = [];
    private readonly AttachmentSealer _sealer;
    private readonly QueuedEngine _engine;
    private readonly SharedWords _words;
    private readonly DeviceUse _use;
    private readonly LakeActivity _activity = new();
    private readonly IngestPacer _pacer;
    private TimeSpan _lookAt;
    private ulong _ino;
    private ulong _scanFrom;
    private bool _isScanning;
    private TimeSpan _noticeAt;
    private volatile bool _hasEnded;

    private IngestThread(Attachment attachment, DirectBlockDevice device, DeviceUse use, CommandQueue commands, ILogger logger, string path, TimeSpan quiet)
    {
        _sealer = new AttachmentSealer(attachment);
        _words = new SharedWords(attachment.Memory);
        _use = use;
        _pacer = new IngestPacer(() => _clock.Elapsed, _stop.Wait, IsLakeBusy);
        _commands = commands;
        _logger = logger;
        _path = path;
        _policy = new IngestPolicy(quiet);
        _device = new GatedDevice(device);
        _engine = new QueuedEngine(OnEngine);
        _thread = new Thread(Run, ThreadStackBytes) { IsBackground = true, Name = $"ingest {path}" };
    }

    /// <summary>Null when nothing may be written to the device, or nothing is to be sealed.</summary>
    internal static IngestThread? Start(Attachment attachment, DeviceUse use, CommandQueue commands, ILogger logger, string path, TimeSpan quiet)
    {
        if (quiet == TimeSpan.Zero)
        {
            return null;
        }
        try
        {
            var ingest = new IngestThread(attachment, DirectBlockDevice.Open(path), use, commands, logger, path, quiet);
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
    internal void CloseDevice() => _device.Close();

    /// <summary>Nobody serves any more: nothing it could wait for comes.</summary>
    internal void End()
    {
        _stop.Set();
        _device.Close();
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
            using var table = new ChecksumTable(_device, Superblock());
            using var readBack = new ReadBack(_device, table) { Pace = _pacer.Allow };
            var file = new FileIngest(_engine, _sealer, readBack)
            {
                Damaged = Tell,
                IsStopped = () => _stop.IsSet,
            };
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
            }
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
            _hasEnded = true;
            _commands.Wake();
        }
    }

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

    private void Tell(IReadOnlyList<ulong> damaged) => ServeEvents.DataDamaged(_logger, _path, _ino, damaged[0], damaged.Count);

    /// <summary>Back to being written in place.</summary>
    private void Unseal(ulong ino)
    {
        _policy.NoteUnsealed(ino);
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
            if (_sealer.Unseal(ref args) != Errno.None)
            {
                return;
            }
        }
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
            _activity.Look(new LakeActivity.Counters(now, _words.LastSeq, _sealer.Intents, _use.BusyTime(), _device.BusyTime));
        }
        return _activity.IsBusy;
    }
}
