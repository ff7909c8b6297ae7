// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using DeepLake.Abi;
using DeepLake.Engine;
using DeepLake.Engine.Scrub;
using DeepLake.Laked.Ingest;
using DeepLake.Laked.Logging;
using DeepLake.Laked.Serve;
using DeepLake.Storage;
using DeepLake.Transport;
using Microsoft.Extensions.Logging;

namespace DeepLake.Laked.Scrub;

/// <summary>
/// The scrub of one lake: reads all that is checked on a descriptor of its own, in passes that somebody asks
/// for, and finds out which files the damaged blocks belong to that the kernel tells of. What it knows of the
/// lake it asks of the engine's thread, which also writes its position down; so a daemon that comes after this
/// one, or a mount after this one, goes on with it.
/// </summary>
internal sealed class ScrubThread
{
    private const int ThreadStackBytes = 512 << 10;
    private const int PathsOfALine = 4;
    private const int LinesOfAPass = 100;

    private static readonly TimeSpan EnginePatience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(10);

    private readonly CommandQueue _commands;
    private readonly ILogger _logger;
    private readonly string _path;
    private readonly GatedDevice _device;
    private readonly OwnUse _own;
    private readonly DeviceUse _use;
    private readonly SharedWords _words;
    private readonly Thread _thread;
    private readonly AutoResetEvent _wake = new(false);
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly LakeActivity _activity = new();
    private readonly IngestPacer _pacer;
    private readonly QueuedScrub _engine;
    private readonly ScrubLedger _ledger = new();
    private ScrubItem _saved; // the engine's thread and this one, never at once
    private TimeSpan _savedAt;
    private bool _isRefused;
    private ulong _toldPass;
    private TimeSpan _lookAt;
    private ulong _lines;
    private volatile bool _isEnding;
    private volatile bool _hasEnded;
    private volatile bool _isLoaded;
    private volatile string _problem = "";

    private ScrubThread(Attachment attachment, DeviceUse use, OwnUse own, CommandQueue commands, ILogger logger, string path)
    {
        _words = new SharedWords(attachment.Memory);
        _use = use;
        _own = own;
        _commands = commands;
        _logger = logger;
        _path = path;
        _device = new GatedDevice(new ReopenedDevice(() => DirectBlockDevice.Open(path, readOnly: true)));
        own.Add(_device);
        _pacer = new IngestPacer(() => _clock.Elapsed, Wait, IsLakeBusy, isBusy => ScrubPolicy.BytesPerSecond(_ledger.BytesPerSecond, isBusy));
        _engine = new QueuedScrub(OnEngine);
        _thread = new Thread(Run, ThreadStackBytes) { IsBackground = true, Name = $"scrub {path}" };
    }

    /// <summary>Blocks that programs have met.</summary>
    internal DamagedReads Reads { get; } = new();

    /// <summary>Why it cannot go on for now; empty when it can.</summary>
    internal string Problem => _problem;

    /// <summary>How far it is; null before what was written down of it has been looked up.</summary>
    internal ScrubRecord? Record => _isLoaded ? _ledger.Copy() : null;

    /// <summary>Null when the device cannot be opened once more.</summary>
    internal static ScrubThread? Start(Attachment attachment, DeviceUse use, OwnUse own, CommandQueue commands, ILogger logger, string path)
    {
        try
        {
            var scrub = new ScrubThread(attachment, use, own, commands, logger, path);
            scrub._thread.Start();
            return scrub;
        }
        catch (StorageException e)
        {
            ScrubEvents.Failed(logger, e, path, e.Message);
            return null;
        }
    }

    /// <summary>Begins a pass or goes on with one; false when one is under way, or nothing is known yet.</summary>
    internal bool Begin(ulong bytesPerSecond)
    {
        bool began = _isLoaded && _ledger.Start(bytesPerSecond, Now());
        if (began)
        {
            Volatile.Write(ref _lines, 0);
            ScrubEvents.Running(_logger, _path, _ledger.Pass, _ledger.Position.Ino);
        }

        _wake.Set();
        return began;
    }

    /// <summary>False when none was under way.</summary>
    internal bool Stop()
    {
        bool stopped = _isLoaded && _ledger.Stop();
        if (stopped)
        {
            ScrubEvents.Stopped(_logger, _path, _ledger.Pass);
        }

        _wake.Set();
        return stopped;
    }

    /// <summary>The kernel has told of a read that met a damaged block.</summary>
    internal void Heard(ulong block)
    {
        if (Reads.Add(block, Now()))
        {
            _wake.Set();
        }
    }

    /// <summary>Asks it to end; whether it has. The engine's thread has to go on serving until it has.</summary>
    internal bool TryEnd()
    {
        _isEnding = true;
        _wake.Set();
        return _hasEnded;
    }

    /// <summary>On the engine's thread, before the clean mark: the last position, and from here on nothing of the device.</summary>
    internal void Unmounting(LakeEngine engine)
    {
        _isEnding = true;
        _device.Close();
        if (_isLoaded)
        {
            Save(engine);
        }
    }

    /// <summary>Nobody serves any more: nothing it could wait for comes.</summary>
    internal void End()
    {
        _isEnding = true;
        _wake.Set();
        _device.Close();
        if (!_thread.Join(EndPatience))
        {
            Environment.FailFast($"the scrub of {_path} does not end");
        }
    }

    internal static ulong Now() => (ulong)DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    private void Run()
    {
        try
        {
            Superblock superblock = default;
            ScrubRecord record = ScrubRecord.None;
            OnEngine(engine => (superblock, record) = (engine.Superblock, engine.LoadScrub()));
            _ledger.Load(record);
            (_saved, _toldPass) = (record.Item, record.Item.EndedPass);
            _isLoaded = true;
            if (_ledger.IsRunning)
            {
                ScrubEvents.Running(_logger, _path, _ledger.Pass, _ledger.Position.Ino);
            }

            using var reader = new ScrubReader(_device, superblock) { Pace = _pacer.Allow };
            var pass = new ScrubPass(_engine, reader, _ledger) { Now = Now, Found = Tell };
            while (!_isEnding)
            {
                Round(pass);
            }

            OnEngine(Save);
        }
        catch (IngestEndException)
        {
        }
        catch (Exception e) when (e is StorageException or InvalidOperationException)
        {
            Note(e);
        }
        finally
        {
            _device.Dispose();
            _hasEnded = true;
            _commands.Wake();
        }
    }

    private void Round(ScrubPass pass)
    {
        try
        {
            NameReads();
            if (_ledger.IsRunning)
            {
                ulong block = _ledger.Position.FileBlock;
                pass.Advance();
                if (_ledger.Position.FileBlock != block)
                {
                    _pacer.Allow(ScrubPolicy.BytesPerLook);
                }
            }
            else
            {
                pass.Forget();
            }

            SaveWhenDue();
            _problem = "";
            if (!_ledger.IsRunning)
            {
                _wake.WaitOne(_isRefused ? ScrubPolicy.SaveInterval : Timeout.InfiniteTimeSpan);
            }
        }
        catch (Exception e) when (e is StorageException or InvalidOperationException && !_isEnding)
        {
            Note(e);
            pass.Forget();
            _wake.WaitOne(ScrubPolicy.RetryPause);
        }
    }

    private void Note(Exception e)
    {
        if (!_isEnding)
        {
            _problem = (e.InnerException ?? e).Message;
            ScrubEvents.Failed(_logger, e, _path, _problem);
        }
    }

    private void SaveWhenDue()
    {
        ScrubItem now = _ledger.Copy().Item;
        if (now.EndedPass != _toldPass)
        {
            _toldPass = now.EndedPass;
            ScrubEvents.Done(_logger, _path, now.EndedPass, now.EndedBlocks, now.EndedDamaged);
        }

        bool isStep = now.State != _saved.State || now.Pass != _saved.Pass || now.EndedPass != _saved.EndedPass;
        if ((isStep && !_isRefused) || _clock.Elapsed - _savedAt >= ScrubPolicy.SaveInterval)
        {
            OnEngine(Save);
        }
    }

    // On the engine's thread. What could not be written down (a full store, a mount that has not begun) is tried again.
    private void Save(LakeEngine engine)
    {
        ScrubRecord record = _ledger.Copy();
        ScrubItem item = record.Item with { Findings = _saved.Findings };
        if (item.Pass == 0 || item.Equals(_saved))
        {
            return;
        }

        _isRefused = !engine.PutScrub(record);
        if (!_isRefused)
        {
            _saved = item;
        }

        _savedAt = _clock.Elapsed;
    }

    /// <summary>Finds out which files the blocks belong to that the kernel has told of.</summary>
    private void NameReads()
    {
        IReadOnlyList<ulong> blocks = Reads.Unresolved();
        if (blocks.Count == 0)
        {
            return;
        }

        var holders = new List<ScrubRun>();
        (ulong, ulong)[] ranges = [.. blocks.Select(b => (b, 1ul))];
        ScrubPosition at = default;
        while (!at.IsEnd && !_isEnding)
        {
            at = _engine.FindHolders(at, ranges, holders);
        }

        foreach (ulong block in blocks)
        {
            ScrubRun[] its = [.. holders.Where(h => h.PhysBlock == block)];
            Reads.Resolve(block, its);
            foreach (ScrubRun holder in its)
            {
                ulong from = holder.FileBlock * LakeFormat.BlockSize;
                ScrubEvents.ReadDamaged(_logger, _path, holder.Ino, Paths(holder.Ino), from, from + (holder.Blocks * LakeFormat.BlockSize) - 1, block);
            }

            if (its.Length == 0)
            {
                ScrubEvents.ReadDamagedNobody(_logger, _path, block);
            }
        }
    }

    private void Tell(ScrubFinding found)
    {
        if (_lines++ < LinesOfAPass)
        {
            ulong from = found.FileBlock * LakeFormat.BlockSize;
            string kind = found.Kind == ScrubKind.Unreadable ? "cannot be read" : "differs from its checksum";
            ScrubEvents.Damaged(_logger, _path, found.Ino, Paths(found.Ino), from, from + (found.Blocks * LakeFormat.BlockSize) - 1, found.PhysBlock, kind);
        }
    }

    private string Paths(ulong ino)
    {
        IReadOnlyList<string> paths = [];
        OnEngine(engine => paths = engine.PathsOf(ino, PathsOfALine));
        return paths.Count == 0 ? "no name" : string.Join(", ", paths);
    }

    private bool Wait(TimeSpan time)
    {
        _wake.WaitOne(time);
        return _isEnding || !_ledger.IsRunning;
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
