// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine.Archive;
using DeepLake.Packs;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine;

/// <summary>
/// The archive: what goes through the log once more in the data region, before the log is given up
/// (docs/archive.md). Nothing waits for it and nothing fails by it: when it cannot go on it is interrupted,
/// until a new base makes it whole.
/// </summary>
public sealed partial class LakeEngine : IArchiveEngine
{
    // Less stays in the log for the time being, so that checkpoints do not make small segments.
    private const long WorthwhileBytes = 256 << 10;
    private const long WorthwhilePart = 32;

    // Without bases the archive must not grow for ever.
    private const ulong CostsMost = 8;

    /// <summary>A reason of <see cref="ArchiveTrouble"/> that there is only after an earlier interruption.</summary>
    internal const string FramesAreGone = "frames of the log that were not archived yet are gone";

    // A base must leave most of what is free to others.
    private const ulong FreePerBase = 4;

    // Of a base that is being written: where the log behind it begins, its blocks, and whether its checkpoint
    // is held; any of it may be given up before its writer knows.
    private readonly List<ArchiveItem> _baseParts = [];
    private WalPosition? _baseHold;
    private bool _baseIsRead;
    private ulong _nextSegment;

    /// <summary>Why the archive was interrupted last; null when it was not while this engine has been open.</summary>
    public string? ArchiveTrouble { get; private set; }

    /// <inheritdoc/>
    public bool BaseIsWanted
    {
        get
        {
            ref EngineState counters = ref _state.Counters;
            return (counters.ArchiveLsn == 0 || counters.ArchiveCost > CostOfBase)
                && _checkpoints.Superblock.State == SuperblockState.Active
                && !MetadataIsFull
                && _state.Space.FreeBlocks / FreePerBase > _state.Tree.PageCount;
        }
    }

    private ulong CostOfBase => Math.Max(_options.ArchiveBaseBytes, 2 * _state.Tree.PageCount * LakeFormat.BlockSize);

    private WalPosition ArchivePosition => new(_state.Counters.ArchiveLsn, (long)_state.Counters.ArchiveOffset);

    private long UnarchivedBytes => ArchivePosition.Lsn == 0 ? 0 : _wal.BytesSince(ArchivePosition);

    /// <summary>Blocks of the checksum table that are gone, while the maps say that data is checked against them.</summary>
    public ulong CountLostChecksums() => LostChecksums.Count(_state, _device, _checkpoints.Superblock);

    /// <summary>
    /// Writes entries of the checksum table that are lost anew, of data that its file's identity proves, or of which nothing
    /// is left to tell. Only the table is written, and not flushed; it may be done again. The lake is not mounted.
    /// </summary>
    /// <param name="device">The lake's: its data is read, its table written.</param>
    /// <param name="progress">Told what is being done, how much of it is done, how much there is, and of what. May throw.</param>
    public MendedChecksums MendChecksums(IBlockDevice device, Action<string, ulong, ulong, string> progress)
    {
        using var audit = new ContentAudit(_state, device, _checkpoints.Superblock) { MendsTableOnly = true, Progress = progress };
        audit.Run();
        return new MendedChecksums(audit.BlocksRead, audit.DamagedBlocks, audit.MendedSums, audit.UnprovenBlocks, audit.UnprovenFiles);
    }

    /// <summary>
    /// What is damaged of the archive, for a person; null when nothing is, or when it waits for a new base anyway.
    /// </summary>
    /// <param name="device">The lake's; is only read.</param>
    /// <param name="progress">As of <see cref="MendChecksums"/>.</param>
    public string? AuditArchive(IBlockDevice device, Action<string, ulong, ulong, string> progress) =>
        ArchivePosition.Lsn == 0 ? null : ArchiveAudit.Run(_state, device, _checkpoints.Superblock, progress);

    /// <summary>Nothing is archived before the next base.</summary>
    /// <param name="why">For <see cref="ArchiveTrouble"/>.</param>
    public void PauseArchive(string why) => Interrupt(why);

    /// <inheritdoc/>
    public ArchiveBase? BeginBase()
    {
        AbandonBase(); // one whose writer has gone
        if (_checkpoints.Superblock.State != SuperblockState.Active || HoldSnapshot() is not { } source)
        {
            return null;
        }

        _baseHold = CheckpointWriter.PositionOf(_checkpoints.Superblock);
        _baseIsRead = true;
        return new ArchiveBase(source, TakeNumber(), AppliedSeq, _state.Tree.PageCount + 1);
    }

    /// <inheritdoc/>
    public bool TryLeaseSegment(uint blocks, out ArchiveEntry segment)
    {
        segment = default;
        if (_baseHold is null || !_state.Space.TryLeaseRun(blocks, out ulong start))
        {
            return false;
        }

        segment = new ArchiveEntry { Number = TakeNumber(), Item = new ArchiveItem { Block = start, Blocks = blocks, Kind = ArchiveKind.Base } };
        _baseParts.Add(segment.Item);
        return true;
    }

    /// <inheritdoc/>
    public bool EndReading()
    {
        bool wasHeld = _baseIsRead && _store.Release();
        _baseIsRead = false;
        return wasHeld;
    }

    /// <inheritdoc/>
    public bool FinishBase(ArchiveBase finished, ReadOnlySpan<ArchiveEntry> parts)
    {
        Superblock superblock = finished.Source.Superblock;
        byte[] entry = EntryOf(
            ArchiveKind.Base, CheckpointWriter.PositionOf(superblock), finished.Seq, 0, _state.Counters.ArchiveBase, parts);
        bool isWhole = HasBase(superblock) && entry.Length < LakeFormat.WalFrameMax / 2
            && TryMakeRoom(entry.Length, grows: true) && HasBase(superblock) && TryAppendArchive(entry);
        if (!isWhole)
        {
            AbandonBase();
            return false;
        }

        _baseHold = null;
        _baseParts.Clear();
        Commit();
        if (Planted.Is(PlantedFault.FramesSkippedAfterABase))
        {
            (_state.Counters.ArchiveLsn, _state.Counters.ArchiveOffset) = (_wal.Next.Lsn, (ulong)_wal.Next.OffsetBytes);
        }

        return true;
    }

    /// <inheritdoc/>
    public void AbandonBase()
    {
        if (_baseIsRead)
        {
            _store.Release();
        }

        foreach (ArchiveItem part in _baseParts)
        {
            _state.Space.Unlease(part.Block, part.Blocks);
        }

        _baseParts.Clear();
        _baseHold = null;
        _baseIsRead = false;
    }

    /// <summary>Whether that base is still being written, nothing follows the clean mark, and the log behind it is there or archived.</summary>
    private bool HasBase(in Superblock superblock) =>
        _baseHold == CheckpointWriter.PositionOf(superblock)
        && !_baseIsRead
        && _checkpoints.Superblock.State == SuperblockState.Active
        && (_state.Counters.ArchiveLsn != 0 || _baseHold.Value.Lsn >= _wal.Tail.Lsn);

    /// <summary>One segment, if there is enough for a whole one.</summary>
    private bool ArchiveAhead() => UnarchivedBytes >= ArchiveSegment.MaxPayloadBytes && ArchiveSome();

    /// <summary>What the checkpoint covers: at the end of a mount all of it, else when it is worth a segment.</summary>
    private void ArchiveBeforeCheckpoint(SuperblockState mark)
    {
        long worthwhile = Math.Min(WorthwhileBytes, LakeFormat.BlockSize * (long)_checkpoints.Superblock.Wal.Blocks / WorthwhilePart);
        bool isDue = mark == SuperblockState.Clean ? AppliedSeq != _state.Counters.ArchiveSeq : UnarchivedBytes >= worthwhile;
        while (isDue && ArchiveSome())
        {
        }

        if (ArchivePosition.Lsn != 0 && ArchivePosition.Lsn < _wal.Tail.Lsn)
        {
            Interrupt(FramesAreGone);
        }

        if (_wal.UsedFraction > WalForcedFraction && _baseHold is not null && ArchivePosition.Lsn == 0)
        {
            AbandonBase(); // who writes it finds out in the end
        }

        Commit();
    }

    private WalPosition OldestWanted(WalPosition position)
    {
        if (ArchivePosition.Lsn != 0 && ArchivePosition.Lsn < position.Lsn && !Planted.Is(PlantedFault.LogTrimmedBeforeItIsArchived))
        {
            position = ArchivePosition;
        }

        // what is archived need not be kept for a base
        if (_baseHold is { } hold && ArchivePosition.Lsn == 0 && hold.Lsn < position.Lsn)
        {
            position = hold;
        }

        return position.Lsn < _wal.Tail.Lsn ? _wal.Tail : position;
    }

    /// <summary>Archives one segment of committed frames; false when there is none, or when that is not possible.</summary>
    private bool ArchiveSome()
    {
        WalPosition from = ArchivePosition;
        if (from.Lsn == 0 || from.Lsn >= _wal.Next.Lsn)
        {
            return false;
        }

        if (_state.Counters.ArchiveCost > CostsMost * CostOfBase)
        {
            return Interrupt("nobody has written a base for long");
        }

        using AlignedBuffer buffer = ArchiveSegment.CreateBuffer();
        using var frames = new AlignedBuffer(ArchiveSegment.MaxPayloadBytes);
        ulong start = 0;
        uint blocks = 0;
        WalPosition next;
        ArchiveHeader header;
        try
        {
            next = _wal.CopyFrames(ArchiveDevice, from, frames.Span, out int bytes, out ulong lastSeq);
            if (next.Lsn == from.Lsn)
            {
                return Interrupt(FramesAreGone);
            }

            header = LogHeader(from, next, bytes, lastSeq);
            using (var writer = new FrameWriter(FrameWriter.Fast))
            {
                header.StoredBytes = (uint)ArchiveSegment.Store(writer, frames.Slice(0, bytes), buffer, out header.Flags);
            }

            blocks = ArchiveSegment.BlocksFor((int)header.StoredBytes);
            if (!_state.Space.TryLeaseRun(blocks, out start))
            {
                return Interrupt($"the lake has no {blocks} free blocks in a row");
            }

            header.StartBlock = start;
            if (!Planted.Is(PlantedFault.SegmentNotWritten))
            {
                ArchiveSegment.Write(ArchiveDevice, buffer, _checkpoints.Superblock, header);
            }
        }
        catch (StorageException failure) when (!failure.IsCorruption)
        {
            if (start != 0)
            {
                _state.Space.Unlease(start, blocks);
            }

            return Interrupt(failure.Message);
        }

        var segment = new ArchiveEntry { Number = header.Number, Item = new ArchiveItem { Block = start, Blocks = blocks, Kind = ArchiveKind.Log } };
        if (TryAppendArchive(EntryOf(ArchiveKind.Log, next, header.Seq, header.PayloadBytes, 0, new ReadOnlySpan<ArchiveEntry>(in segment))))
        {
            return true;
        }

        _state.Space.Unlease(start, blocks);
        return Interrupt("the log or the metadata region is full");
    }

    private ArchiveHeader LogHeader(WalPosition from, WalPosition next, int bytes, ulong lastSeq) => new()
    {
        Number = TakeNumber(),
        Kind = ArchiveKind.Log,
        PayloadBytes = (ulong)bytes,
        FirstLsn = from.Lsn,
        NextLsn = next.Lsn,
        Seq = Math.Max(_state.Counters.ArchiveSeq, lastSeq),
        WrittenSec = (ulong)_options.Clock.GetUtcNow().ToUnixTimeSeconds(),
    };

    private IBlockDevice ArchiveDevice => _options.ArchiveDevice ?? _device;

    // It is in the next checkpoint's state. Not in the log: a replay that does not know finds the frames gone.
    private bool Interrupt(string why)
    {
        _state.Counters.ArchiveLsn = 0;
        ArchiveTrouble = why;
        return false;
    }

    private ulong TakeNumber()
    {
        _nextSegment = Math.Max(_nextSegment, _state.Counters.ArchiveNumber) + 1;
        return _nextSegment - 1;
    }

    private bool TryAppendArchive(ReadOnlySpan<byte> entry)
    {
        if (!_wal.FitsOpenFrame(entry.Length))
        {
            Commit();
        }

        if (!_wal.HasRoomFor(entry.Length) || !_checkpoints.HasRoomFor(grows: false))
        {
            return false;
        }

        _applier.Apply(entry);
        Append(entry, 0);
        return true;
    }

    private static byte[] EntryOf(ArchiveKind kind, WalPosition next, ulong seq, ulong logBytes, ulong removeBelow, ReadOnlySpan<ArchiveEntry> segments)
    {
        int fixedBytes = Unsafe.SizeOf<WalArchive>();
        byte[] entry = new byte[fixedBytes + (segments.Length * Unsafe.SizeOf<ArchiveEntry>())];
        var change = new WalArchive
        {
            Header = new IntentHeader { Len = (uint)entry.Length, Op = IntentOp.WalArchive },
            NextLsn = next.Lsn,
            NextOffset = (ulong)next.OffsetBytes,
            ArchivedSeq = seq,
            RemoveBelow = removeBelow,
            LogBytes = logBytes,
            Count = (uint)segments.Length,
            Kind = kind,
        };
        MemoryMarshal.Write(entry, in change);
        MemoryMarshal.AsBytes(segments).CopyTo(entry.AsSpan(fixedBytes));
        return entry;
    }
}
