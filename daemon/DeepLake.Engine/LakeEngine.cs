// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine.Format;
using DeepLake.Engine.Ingest;
using DeepLake.Engine.Requests;
using DeepLake.Engine.Scrub;
using DeepLake.Engine.State;
using DeepLake.Metadata.Tree;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine;

/// <summary>
/// One lake: recovery, intents in order, group commit, checkpoints, requests. Knows nothing of rings or
/// sockets; the clock is injected. One thread owns it. Any exception from a changing call is final: the
/// owner gives the engine up and recovery begins from what is durable.
/// </summary>
public sealed partial class LakeEngine : IIngestEngine, IScrubEngine, IDisposable
{
    private const double WalCheckpointFraction = 0.4;
    private const double WalForcedFraction = 0.8;
    private const double WalWorthwhileFraction = 0.05;

    // Of the capacity, which is a third of the page store's region: here cleaning still gains.
    private const int LastCapacities = 2;

    private readonly IBlockDevice _device;
    private readonly EngineOptions _options;
    private readonly IPageStore _store;
    private readonly LakeState _state;
    private readonly Wal _wal;
    private readonly IntentApplier _applier;
    private readonly RequestHandler _requests;
    private readonly LeaseBook _leases;
    private readonly CheckpointWriter _checkpoints;
    private ulong _commits;
    private ulong _loggedBytes;
    private ulong _checkedStamp;
    private ulong _checkedLsn;
    private bool _hasBegunEpoch;
    private bool _logHasDamage;
    private ulong _resentUntil;

    internal LakeEngine(in RecoveredLake lake)
    {
        _device = lake.Device;
        _options = lake.Options;
        _store = lake.Store;
        _state = lake.State;
        _wal = lake.Wal;
        _checkpoints = lake.Checkpoints;
        _applier = new IntentApplier(_state);
        _requests = new RequestHandler(_state);
        _leases = new LeaseBook(_state);
        DurableSeq = _state.Counters.AppliedSeq;
        ReplayedIntents = lake.ReplayedIntents;
        WasClean = lake.WasClean;
        EndedCleanly = lake.EndedCleanly;
        Damage = lake.Damage;
        WhyEndIsUnknown = lake.WhyEndIsUnknown;
        LogLoss = lake.LogLoss;
        _logHasDamage = lake.LogHasDamage;
        _wal.Epoch = _state.Counters.Epoch;
    }

    /// <summary>As last written to the device.</summary>
    public Superblock Superblock => _checkpoints.Superblock;

    /// <summary>Every intent up to here is in the state.</summary>
    public ulong AppliedSeq => _state.Counters.AppliedSeq;

    /// <summary>Every intent up to here survives a power cut.</summary>
    public ulong DurableSeq { get; private set; }

    public ulong Epoch => _state.Counters.Epoch;

    /// <summary>That of a mount, which has one even where none can be begun.</summary>
    public ulong MountEpoch => _options.OnlyReads ? Math.Max(Epoch, 1) : Epoch;

    /// <summary>Whether the lake had been unmounted cleanly when this engine opened it.</summary>
    public bool WasClean { get; }

    /// <summary>
    /// The newest superblock copy that is whole has the clean mark, and the log ends where it says: true also
    /// when its checkpoint was damaged and the one before led to the same state.
    /// </summary>
    public bool EndedCleanly { get; }

    /// <summary>Why nobody can tell whether it had been, and <see cref="WasClean"/> says nothing; null when it does.</summary>
    public string? WhyEndIsUnknown { get; }

    /// <summary>Why changes after the checkpoint may be lost that were recorded; null when there is no reason to think so.</summary>
    public string? LogLoss { get; }

    public ulong ReplayedIntents { get; }

    /// <summary>The index of the metadata pages was damaged when the lake was opened; nothing is lost.</summary>
    public bool IndexWasDamaged => _store.IndexWasDamaged;

    /// <summary>The newest checkpoint was damaged; the one before it and a longer log gave the state.</summary>
    public bool FellBack => Damage is not null;

    /// <summary>What was wrong with that checkpoint; null when nothing was.</summary>
    public string? Damage { get; }

    /// <summary>No more inodes, names or xattrs should come; what has been recorded already still has room.</summary>
    public bool MetadataIsFull => (long)_state.Tree.PageCount > _store.CapacityPages;

    /// <summary>Something is applied that is not durable yet.</summary>
    public bool HasUncommitted => _wal.HasOpenFrame;

    /// <summary>Bytes of the frame that the next commit writes.</summary>
    public int UncommittedBytes => _wal.HasOpenFrame ? _wal.OpenFrameBytes : 0;

    public bool CheckpointDue => _checkpoints.IsDue || (_wal.UsedFraction > WalCheckpointFraction && LogIsWorthIt);

    // Else what fills the log is kept for the archive, and a checkpoint would not free it.
    private bool LogIsWorthIt =>
        _wal.BytesSince(CheckpointWriter.PositionOf(_checkpoints.Superblock)) > WalWorthwhileFraction * LakeLayout.Bytes(_checkpoints.Superblock.Wal.Blocks);

    /// <summary>
    /// Recovers a lake: newest usable checkpoint, then the log behind it. Writes nothing to the log, nor to
    /// the superblocks unless the page store is short of room.
    /// </summary>
    /// <exception cref="LakeFormatException">The device holds no lake that can be used; says why.</exception>
    /// <exception cref="StorageException">The device failed.</exception>
    public static LakeEngine Open(IBlockDevice device, ICommitSink sink, EngineOptions options) =>
        new(LakeRecovery.Recover(device, sink, options));

    public void ReplaceSink(ICommitSink sink) => _checkpoints.Sink = sink;

    /// <summary>Applies one intent entry; entries that are applied already are skipped.</summary>
    /// <returns>False when it was skipped.</returns>
    /// <exception cref="IntentFaultException">The intent is impossible: the mount must be shut down.</exception>
    /// <exception cref="StorageException">
    /// ENOSPC: the page store has no room, and nothing was changed. The mount must be shut down; what is
    /// durable can be opened and deleted from.
    /// </exception>
    public bool Apply(ReadOnlySpan<byte> entry)
    {
        if (entry.Length < Unsafe.SizeOf<IntentHeader>())
        {
            throw new IntentFaultException($"an intent of {entry.Length} bytes is too short");
        }

        ulong seq = MemoryMarshal.Read<IntentHeader>(entry).Seq;
        if (seq <= AppliedSeq)
        {
            return false;
        }

        if (seq != AppliedSeq + 1 && !Planted.Is(PlantedFault.SequenceGapAccepted))
        {
            throw new IntentFaultException($"intent {seq} follows intent {AppliedSeq}");
        }

        MakeRoom(entry.Length, MayGrow(entry));
        _applier.Apply(entry);
        if (seq == _resentUntil)
        {
            _state.Space.EndResent();
        }

        Append(entry, seq);
        return true;
    }

    /// <summary>Makes everything applied durable. Returns the durable seq.</summary>
    public ulong Commit()
    {
        if (_wal.HasOpenFrame)
        {
            _wal.CommitOpenFrame(_checkpoints.Sink, AppliedSeq);
            _commits++;
        }

        DurableSeq = AppliedSeq;
        _state.Space.ReleaseQuarantine(DurableSeq);
        return DurableSeq;
    }

    /// <summary>
    /// Does a part of the work of a checkpoint that is due, so that requests need not wait for all of it: a
    /// millisecond or two, or one piece of the log for the archive, which takes three to compress; and more for
    /// what was changed since the last call, so that who changes much does not put it off. False when it is time for <see cref="Checkpoint()"/>.
    /// </summary>
    public bool PrepareCheckpoint()
    {
        bool isMore = true;
        for (ulong slices = _checkpoints.BeginSlices(_loggedBytes); isMore && slices > 0; slices--)
        {
            isMore = ArchiveAhead() || _checkpoints.PrepareSlice();
        }

        _checkpoints.EndSlices(_loggedBytes);
        return isMore;
    }

    /// <summary>Commits, then makes the state itself durable so that the log before it can go.</summary>
    public void Checkpoint() => Checkpoint(SuperblockState.Active);

    /// <summary>For whoever is going to write, before the lake is opened: a recovery that is short of room takes a checkpoint.</summary>
    /// <exception cref="LakeFormatException">It can only be read, or is no lake for this version.</exception>
    public static void RequireWritable(IBlockDevice device) => SuperblockStore.RequireWritable(SuperblockStore.ReadAll(device)[0]);

    /// <summary>
    /// Starts a new mount epoch: orphans of older ones are gone, their blocks free.
    /// </summary>
    /// <param name="now">The time it starts.</param>
    /// <param name="isMount">It counts as a mount; an import does not.</param>
    public void BeginEpoch(LakeTime now, bool isMount = true)
    {
        ulong epoch = Math.Max(_checkpoints.Superblock.Epoch, Epoch) + (Planted.Is(PlantedFault.EpochNotRaised) && Epoch != 0 ? 0ul : 1ul);
        var entry = new WalEpoch
        {
            Header = new IntentHeader { Len = (uint)Unsafe.SizeOf<WalEpoch>(), Op = IntentOp.WalEpoch },
            Epoch = epoch,
            Time = now,
            Unclean = _checkpoints.Superblock.State == SuperblockState.Clean ? 0u : 1u,
        };
        if (_logHasDamage)
        {
            _wal.Mend(takesUnread: false); // it is told of; the recovery after this mount must not find it again
            _logHasDamage = false;
        }

        MakeRoom(Unsafe.SizeOf<WalEpoch>(), grows: false);
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(new ReadOnlySpan<WalEpoch>(in entry));
        _applier.Apply(bytes);
        _wal.Epoch = epoch;
        _hasBegunEpoch = true;
        Append(bytes, 0);
        _checkpoints.Superblock.MountCount += isMount ? 1ul : 0ul;
        Checkpoint(SuperblockState.Active);
    }

    /// <summary>The end of a mount: checkpoint and clean mark.</summary>
    public void MarkClean() => Checkpoint(SuperblockState.Clean);

    /// <summary>What the kernel holds from a predecessor; before any lease is given.</summary>
    /// <param name="ranges">Blocks and inode numbers.</param>
    /// <param name="resentUntil">The kernel's newest record then: what the predecessor may have asked for is not newer.</param>
    public void Declare(ReadOnlySpan<DeclaredRange> ranges, ulong resentUntil = 0)
    {
        _leases.Declare(ranges);
        if (resentUntil > AppliedSeq)
        {
            _resentUntil = resentUntil;
            _state.Space.BeginResent(resentUntil);
        }
    }

    /// <summary>
    /// Answers one request entry (struct lakefs_request_hdr first): payload bytes, or a negative errno.
    /// MOUNT begins the epoch, unless the engine only reads; UNMOUNT writes the clean mark; the caller has checked the barrier.
    /// </summary>
    public int HandleRequest(ReadOnlySpan<byte> request, Span<byte> replyPayload, out uint flags)
    {
        flags = 0;
        if (request.Length < Unsafe.SizeOf<RequestHeader>())
        {
            return -(int)Errno.EINVAL;
        }

        switch (MemoryMarshal.Read<RequestHeader>(request).Op)
        {
            case RequestOp.Mount:
                return Mount(request, replyPayload);
            case RequestOp.Unmount:
                MarkClean();
                return 0;
            case RequestOp.LeaseBlocks:
                return LeaseBlocks(request, replyPayload);
            case RequestOp.LeaseInos:
                return MetadataIsFull ? -(int)Errno.ENOSPC : _leases.LeaseInos(request, replyPayload);
            case RequestOp.Trim:
                return _leases.LeaseForTrim(request, replyPayload);
            case RequestOp.ReturnBlocks:
                return _leases.ReturnBlocks(request);
            case RequestOp.Statfs:
                return Statfs(replyPayload);
            default:
                return _requests.Handle(request, replyPayload, out flags);
        }
    }

    public EngineStats GetStats() => new()
    {
        Uuid = SuperblockStore.UuidOf(_checkpoints.Superblock),
        Label = SuperblockStore.LabelOf(_checkpoints.Superblock),
        WasClean = WasClean,
        ReplayedIntents = ReplayedIntents,
        FellBack = FellBack,
        Epoch = Epoch,
        MountCount = _checkpoints.Superblock.MountCount,
        AppliedSeq = AppliedSeq,
        DurableSeq = DurableSeq,
        DeviceBlocks = _checkpoints.Superblock.DeviceBlocks,
        DataBlocks = _state.Space.TotalBlocks,
        UsedBlocks = _state.Space.UsedBlocks,
        FreeBlocks = _state.Space.FreeBlocks,
        QuarantinedBlocks = _state.Space.QuarantinedBlocks,
        LeasedBlocks = _state.Space.LeasedBlocks,
        SharedBlocks = _state.Counters.SharedBlocks,
        SavedBlocks = _state.Counters.SavedBlocks,
        SealedBlocks = _state.Counters.SealedBlocks,
        CheckedBlocks = _state.Counters.CheckedBlocks,
        MappedBlocks = _state.Counters.MappedBlocks,
        PackedBlocks = _state.Counters.PackedBlocks,
        PackBlocks = _state.Counters.PackBlocks,
        Objects = _state.Counters.Objects,
        Inodes = _state.Counters.InodeCount,
        Orphans = _state.Counters.OrphanCount,
        ArchiveBlocks = _state.Counters.ArchiveBlocks,
        ArchivedSeq = _state.Counters.ArchiveSeq,
        ArchiveIsInterrupted = _state.Counters.ArchiveLsn == 0,
        MetadataPages = _state.Tree.PageCount,
        MetadataCapacityPages = (ulong)_store.CapacityPages,
        WalBytesUsed = (ulong)_wal.UsedBytes,
        WalBytes = (ulong)LakeLayout.Bytes(_checkpoints.Superblock.Wal.Blocks),
        Commits = _commits,
        Checkpoints = _checkpoints.Count,
    };

    /// <summary>
    /// A checkpoint that stays readable beside this engine (<see cref="LakeSnapshot"/>), until it is
    /// released or its room is needed. Null while there is one already.
    /// </summary>
    public SnapshotSource? HoldSnapshot()
    {
        Checkpoint();
        if (!_store.Hold())
        {
            return null;
        }

        _baseIsRead = false; // what was held for a base had to be given up, else this could not be
        return new SnapshotSource(_checkpoints.Superblock, _checkpoints.Ticket!);
    }

    /// <summary>False when its room was needed: what was read of it is worth nothing.</summary>
    public bool ReleaseSnapshot() => _store.Release();

    /// <summary>The live tree for the checker, which only reads pages.</summary>
    public BTree TreeForCheck()
    {
        _state.Space.Store();
        return _state.Tree;
    }

    /// <summary>The engine's own counters, for the checker to compare.</summary>
    public EngineState CountersForCheck()
    {
        EngineState counters = _state.Counters;
        counters.UsedBlocks = _state.Space.UsedBlocks;
        return counters;
    }

    public void Dispose()
    {
        _wal.Dispose();
        _state.Dispose();
        _store.Dispose();
    }

    /// <summary>
    /// Before an intent is applied: room for it in the open frame, in the log and in the page store. The
    /// checkpoints this may take lie between intents.
    /// </summary>
    private void MakeRoom(int entryBytes, bool grows)
    {
        if (!TryMakeRoom(entryBytes, grows))
        {
            throw NoRoom();
        }
    }

    private bool TryMakeRoom(int entryBytes, bool grows)
    {
        if (!_wal.FitsOpenFrame(entryBytes))
        {
            Commit();
        }

        // the last line, behind MetadataIsFull: beyond it deleting would have no room either
        if (grows && (long)_state.Tree.PageCount > LastCapacities * _store.CapacityPages)
        {
            return false;
        }

        // a frame that goes to the start of the region takes what is left before its end as well
        if (_wal.UsedFraction > WalForcedFraction || !_wal.HasRoomFor(entryBytes))
        {
            Checkpoint(SuperblockState.Active);
            Checkpoint(SuperblockState.Active);
        }

        // Looking is not free; only changed pages, what the store has written and frames use room up.
        if (_checkedStamp == _state.Tree.WorkStamp && _checkedLsn == _wal.Next.Lsn)
        {
            return true;
        }

        if (_checkpoints.IsShort)
        {
            _checkpoints.MakeRoom(Checkpoint);
        }

        if (!_checkpoints.HasRoomFor(grows))
        {
            return false;
        }

        _checkedStamp = _state.Tree.WorkStamp;
        _checkedLsn = _wal.Next.Lsn;
        return true;
    }

    private static bool MayGrow(ReadOnlySpan<byte> entry) => MemoryMarshal.Read<IntentHeader>(entry).Op switch
    {
        IntentOp.Unlink or IntentOp.Release or IntentOp.Setattr or IntentOp.Unmap => false,
        IntentOp.Xattr => entry.Length < Unsafe.SizeOf<IntentXattr>()
            || MemoryMarshal.Read<IntentXattr>(entry).Action != XattrAction.Remove,
        _ => true,
    };

    /// <summary>What was applied before is kept.</summary>
    private StorageException NoRoom()
    {
        Commit();
        return new StorageException(
            Errno.ENOSPC,
            $"the metadata region is full ({_state.Tree.PageCount} pages, meant for {_store.CapacityPages}): mount again and delete");
    }

    private void Append(ReadOnlySpan<byte> entry, ulong seq)
    {
        if (_wal.Append(entry, seq) != WalAppendResult.Appended)
        {
            throw new InvalidOperationException("the log had no room although it was made");
        }

        _loggedBytes += (ulong)entry.Length;
    }

    private void Checkpoint(SuperblockState mark)
    {
        Commit();
        ArchiveBeforeCheckpoint(mark);
        WalPosition previous = CheckpointWriter.PositionOf(_checkpoints.Superblock);
        _checkpoints.Write(mark, _wal.Next, DurableSeq);
        _wal.TrimTo(Planted.Is(PlantedFault.LogTrimmedToTheNewestCheckpoint) ? _wal.Next : OldestWanted(previous));
    }

    private int Mount(ReadOnlySpan<byte> request, Span<byte> payload)
    {
        int bytes = Unsafe.SizeOf<ReplyMount>();
        if (request.Length < Unsafe.SizeOf<RequestMount>() || payload.Length < bytes)
        {
            return -(int)Errno.EINVAL;
        }

        RequestMount mount = MemoryMarshal.Read<RequestMount>(request);
        if (!_options.OnlyReads)
        {
            BeginEpoch(mount.Now);
        }

        if (!_state.Inodes.TryGet(LakeFormat.RootIno, out InodeRecord root))
        {
            return -(int)Errno.EUCLEAN;
        }

        var reply = new ReplyMount
        {
            Epoch = MountEpoch,
            LastSeq = AppliedSeq,
            WasClean = WasClean ? 1ul : 0ul,
            Replayed = ReplayedIntents,
            Root = root,
        };
        MemoryMarshal.Write(payload, reply);
        return bytes;
    }

    /// <summary>A full device may have its room in quarantine: then a commit frees it.</summary>
    private int LeaseBlocks(ReadOnlySpan<byte> request, Span<byte> payload)
    {
        if (MetadataIsFull)
        {
            return -(int)Errno.ENOSPC;
        }

        if (_state.Space.FreeBlocks == 0 && _state.Space.QuarantinedBlocks > 0)
        {
            if (Planted.Is(PlantedFault.QuarantineEndsBeforeTheCommit))
            {
                _state.Space.ReleaseQuarantine(AppliedSeq);
            }
            else
            {
                Commit();
            }
        }

        return _leases.LeaseBlocks(request, payload);
    }

    private int Statfs(Span<byte> payload)
    {
        var reply = new ReplyStatfs
        {
            TotalBlocks = _state.Space.TotalBlocks,
            FreeBlocks = _state.Space.FreeBlocks + _state.Space.QuarantinedBlocks,
            Inodes = _state.Counters.InodeCount,
            FreeInodes = MetadataIsFull ? 0 : ((ulong)_store.CapacityPages - _state.Tree.PageCount) * 8,
        };
        MemoryMarshal.Write(payload, reply);
        return Unsafe.SizeOf<ReplyStatfs>();
    }
}
