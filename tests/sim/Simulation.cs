// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Check;
using DeepLake.Engine;
using DeepLake.Metadata;
using DeepLake.Platform;
using DeepLake.Storage;
using DeepLake.Storage.Faster;

namespace DeepLake.Sim;

/// <summary>
/// One seed: a lake, a kernel and daemons that follow each other, on a device that does what devices do.
/// Whatever happens, what is found afterwards has to be the model's tree after some record, not older
/// than what was acknowledged; or, when the device lied, a refusal that says why. A life is what one
/// daemon does from its recovery until it, the machine or the mount ends.
/// </summary>
internal sealed partial class Simulation : IDisposable
{
    private const int PackingSeed = 1 << 24;

    private readonly Random _random;
    private readonly SimSettings _settings;
    private readonly MemoryBlockDevice _memory;
    private readonly FaultyBlockDevice _device;
    private readonly SimKernel _kernel;
    private readonly SimSink _sink;
    private readonly SimScrub _scrub;
    private SimIngest? _ingest;
    private SimPacker? _packer;
    private readonly Random _packing; // its own, too
    private ulong _salt;
    private ulong _boot;
    private ulong _epoch;
    private bool _isMounted;
    private bool _hasLostFrames;
    private ModelTree? _beforeMount; // with the unlinked files that the mount gave up
    private bool _mayBeClean = true;
    private bool _mustBeClean = true;
    private bool _isRefused;
    private long _structuralDamage;
    private bool _otherDamage;
    private bool _mayLoseFramesSilently; // a write that was told to be durable is not there, and what is there is whole
    private ulong _hash = 14695981039346656037;

    public Simulation(int seed, StoreKind store)
    {
        _random = new Random(seed);
        _rebuilds = new Random(~seed);
        _packing = new Random(seed + PackingSeed);
        _settings = SimSettings.Draw(seed, _random, store);
        _settings = _settings with { Options = _settings.Options with { OpenPages = store == StoreKind.Twin ? OpenTwin : OpenFaster } };

        _memory = new MemoryBlockDevice(_settings.DeviceBytes);
        _device = new FaultyBlockDevice(_memory, seed);
        _kernel = new SimKernel(seed, _settings.Mix, _device);
        _sink = new SimSink(_device, _kernel);
        _scrub = new SimScrub(seed, _device);
    }

    /// <summary>The same for the same seed.</summary>
    public ulong Hash => _hash;

    public FaultKind Kind => _settings.Kind;

    /// <summary>How many identities were compared with what the device holds.</summary>
    public long Identities { get; private set; }

    /// <summary>How many times a file was given the blocks of one that is equal.</summary>
    public long Shares => _kernel.Shares;

    /// <summary>How many of these made extents that are skewed, or of such.</summary>
    public long SkewedShares => _kernel.SkewedShares;

    /// <summary>How many ranges of files were given other places: in packs, or out of them.</summary>
    public long Remaps => _kernel.Remaps;

    /// <summary>How many of these were out of packs.</summary>
    public long Unpackings => _kernel.Unpackings;

    /// <summary>How many blocks of files a scrub has compared with their checksums.</summary>
    public long Scrubbed => _scrub.Compared;

    /// <summary>The device lied, and the lake said so.</summary>
    public bool IsRefused => _isRefused;

    /// <summary>What happened, for a person; null: nobody looks.</summary>
    public Action<string>? Log { get; init; }

    /// <summary>A later damage may take what an earlier life has found, so the model keeps all of the boot.</summary>
    private bool DeviceMayLie => _settings.Kind is FaultKind.Damage or FaultKind.Recoveries;

    private bool DeviceLied => _structuralDamage > 0 || _otherDamage || _device.SilentFaults > 0;

    /// <exception cref="Exception">Any at all is a finding.</exception>
    public void Run()
    {
        var format = new FormatOptions(new Guid("00112233-4455-6677-8899-aabbccddeeff"), "sim", Lake.Now)
        {
            OpenPages = _settings.Options.OpenPages,
            ArchiveKey = new byte[32],
            Sizes = _settings.Sizes,
        };
        LakeFormatter.Format(_device, format);
        byte[] block = new byte[LakeFormat.BlockSize];
        _device.Peek(block, Bytes(LakeFormat.SuperblockABlock));
        _sink.Layout = System.Runtime.InteropServices.MemoryMarshal.Read<Superblock>(block);
        Log?.Invoke($"{_settings.Kind}, {_settings.DeviceBytes >> 20} MiB, {_settings.Sizes}, {_settings.Mix}");
        for (int life = 0; life < _settings.Lives && !_isRefused; life++)
        {
            PlanFaults();
            BeginLife();
            Live(isLast: false);
            RebuildSometimes();
        }

        _device.Plan = new FaultPlan();
        _sink.CutInCommit = -1;
        if (!_isRefused)
        {
            Live(isLast: true);
        }

        if (!_isRefused)
        {
            OpenOnce();
        }
    }

    public void Dispose()
    {
        _scrub.Dispose();
        _device.Dispose();
        _memory.Dispose();
        _packs.Dispose();
    }

    private void Live(bool isLast)
    {
        long faults = _device.Faults;
        LakeEngine? engine = null;
        try
        {
            engine = Open();
            VerifyRecovered(engine);
            if (_isRefused)
            {
                return;
            }

            Require(_scrub.Load(engine) || DeviceLied, "what was written down of the scrub is lost");
            Begin(engine);
            _scrub.Begin(engine);
            _ingest = new SimIngest(_random.Next(), _kernel, _device, engine);
            _packer = new SimPacker(_packing.Next(), _settings.Mix, _kernel, _device, engine);
            Serve(engine, isLast ? 5 : _random.Next(_settings.Steps));
            End(engine, isLast);
            if (!_isMounted)
            {
                NoteArchive(engine);
            }
        }
        catch (Exception failure) when (failure is StorageException or LakeFormatException or MetadataCorruptException)
        {
            Judge(failure, faults);
        }
        finally
        {
            _ingest?.Dispose();
            _ingest = null;
            _packer?.Dispose();
            _packer = null;
            NoteTrouble(engine?.ArchiveTrouble);
            _scrub.End();
            engine?.Dispose();
        }

        _snapshot = null;
        Note((ulong)_device.Operations, _kernel.AckedSeq, _kernel.LastSeq);
        if (_device.IsDead)
        {
            Log?.Invoke($"power went at operation {_device.Operations}; {_kernel.AckedSeq} acknowledged of {_kernel.LastSeq}");
            _device.PowerOn();
            EndMount();
        }
    }

    private TwinPageStore OpenTwin(IBlockDevice device, PageStoreGeometry geometry, CheckpointTicket? ticket, PageStoreOptions? options)
    {
        TwinPageStore store = TwinPageStore.Open(device, geometry, ticket, options);
        store.CheckpointBegins = () => _sink.IsCheckpointHalf |= device == _device;
        if (_settings.Kind == FaultKind.Recoveries && device == _device && ticket is not null && _random.Next(3) == 0)
        {
            store.LoseRoom(_random.Next(260, 500));
        }

        return store;
    }

    // No chance in it but the seed's.
    private FasterPageStore OpenFaster(IBlockDevice device, PageStoreGeometry geometry, CheckpointTicket? ticket, PageStoreOptions? options) =>
        FasterPageStore.Open(device, geometry, ticket, (options ?? PageStoreOptions.Default) with { Salt = ++_salt });

    private LakeEngine Open() => LakeEngine.Open(_device, _sink, _settings.Options);

    // What was left behind cleanly is as it was left.
    private void OpenOnce()
    {
        using LakeEngine engine = Open();
        VerifyRecovered(engine);
    }

    /// <summary>Mount, or attach to the mount that the predecessor served.</summary>
    private void Begin(LakeEngine engine)
    {
        if (_isMounted)
        {
            _kernel.Attach(engine);
            _sink.IsOpen = true;
            return;
        }

        _mustBeClean = false;
        bool isForgotten = DeviceLied && engine.Epoch < _epoch; // superblock and frame of that mount are both gone
        ReplyMount reply = Lake.Mount(engine);
        _mayBeClean = false;
        Require(reply.Epoch > _epoch || isForgotten, $"the mount has epoch {reply.Epoch}, there was {_epoch} already");
        Require(reply.LastSeq == engine.AppliedSeq, $"the mount says {reply.LastSeq}, applied is {engine.AppliedSeq}");
        _epoch = reply.Epoch;
        _beforeMount = _kernel.TreeAt(engine.AppliedSeq, _kernel.FirstSeq).Copy();
        _kernel.Boot(Reaped(_beforeMount), ++_boot);
        _isMounted = true;
        _sink.IsOpen = true;
        new StateComparer(engine).CompareAll(_kernel.Tree);
        _kernel.CompareSpace(engine);
    }

    private void End(LakeEngine engine, bool isLast)
    {
        int how = isLast ? 0 : _random.Next(10);
        how = _settings.Kind == FaultKind.Recoveries && !isLast && _random.Next(2) == 0 ? 9 : how; // the mount goes on
        if (how < 2)
        {
            Log?.Invoke("unmount");
            _kernel.ReleaseAll();
            _kernel.Send(engine, int.MaxValue);
            _mayBeClean = true;
            Lake.Unmount(engine);
            _mustBeClean = true;
            Require(_kernel.AckedSeq == _kernel.LastSeq, $"unmounted, and {_kernel.AckedSeq} of {_kernel.LastSeq} is durable");
            EndMount();
        }
        else if (how < 4)
        {
            Log?.Invoke("the daemon stops in good order");
            _kernel.Send(engine, int.MaxValue);
            engine.Checkpoint();
        }
        else if (how < 7)
        {
            _device.CutPower();
        }
        else
        {
            Log?.Invoke("the daemon is killed");
        }
    }

    private void EndMount()
    {
        _isMounted = false;
        _sink.IsOpen = false;
    }

    /// <summary>Whether an end that a daemon came to is one that it may come to.</summary>
    private void Judge(Exception failure, long faultsBefore)
    {
        Log?.Invoke($"{failure.GetType().Name}: {failure.Message}");
        Errno errno = failure is StorageException storage ? storage.Errno : Errno.EUCLEAN;
        if (_device.IsDead || errno == Errno.EINTR)
        {
            return; // the same mount goes on when it was a kill
        }

        if (errno == Errno.EUCLEAN && DeviceLied)
        {
            Require(_otherDamage || _structuralDamage > 1, $"one damaged checkpoint is refused: {failure.Message}");
            _isRefused = true;
            return;
        }

        bool isFull = errno == Errno.ENOSPC && _settings.Kind == FaultKind.FullMetadata;
        bool isInjected = errno == Errno.EIO && _device.Faults > faultsBefore;
        if (!isFull && !isInjected)
        {
            throw new SimulationException($"without a reason: {failure.GetType().Name}: {failure.Message}");
        }

        EndMount(); // the mount is shut down
    }

    private ModelTree Reaped(ModelTree tree)
    {
        ModelTree reaped = tree.Copy();
        reaped.ReapOrphans();
        return reaped;
    }

    private void Note(params ReadOnlySpan<ulong> values)
    {
        foreach (ulong value in values)
        {
            _hash = (_hash ^ value) * 1099511628211;
        }
    }

    private static void Require(bool condition, string what)
    {
        if (!condition)
        {
            throw new SimulationException(what);
        }
    }

    /// <summary>The checker reports what it could not read; that has to come to the same end as elsewhere.</summary>
    private void RequireClean(Func<CheckReport> check, string what)
    {
        long faults = _device.Faults;
        CheckReport report = check();
        bool isUnread = report.Findings.Any(f => f.Contains("cannot be read", StringComparison.Ordinal));
        if (isUnread && (_device.IsDead || _device.IsKilled))
        {
            throw new StorageException(Errno.EINTR, "it ended while it was checked");
        }

        if (isUnread && (_device.Faults > faults || DeviceLied))
        {
            throw new StorageException(DeviceLied ? Errno.EUCLEAN : Errno.EIO, report.Findings[0]);
        }

        if (!report.IsClean)
        {
            throw new SimulationException($"{what}: {string.Join("; ", report.Findings.Take(3))}");
        }
    }
}
