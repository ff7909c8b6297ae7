// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using System.Runtime.InteropServices;
using DeepLake.Platform;

namespace DeepLake.Storage;

/// <summary>
/// The write-ahead log: a circular region of 4096-aligned frames (docs/on-disk-format.md). Entries
/// collect in one open frame, which a single commit makes durable. A frame never wraps: one that does
/// not fit before the end of the region goes to its start. One thread owns an instance; appending and
/// committing allocate nothing.
/// </summary>
public sealed class Wal : IDisposable
{
    private readonly IBlockDevice _device;
    private readonly long _regionStart;
    private readonly long _regionBytes;
    private readonly ulong _lakeTag;
    private readonly AlignedBuffer _frame = new(WalFormat.MaxFrameBytes);
    private WalPosition _next;
    private WalPosition _tail;
    private long _usedBytes;
    private uint _lastCrc;
    private int _payloadBytes;
    private uint _entryCount;
    private ulong _firstSeq;
    private ulong _lastSeq;
    private bool _isReady;
    private bool _hasFailed;

    /// <summary>Nothing may be appended before <see cref="Replay"/> or <see cref="Format"/>.</summary>
    public Wal(IBlockDevice device, long regionStart, long regionBytes, ulong lakeTag)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(DeviceBounds.IsAligned(regionStart), true);
        ArgumentOutOfRangeException.ThrowIfNotEqual(DeviceBounds.IsAligned(regionBytes), true);
        ArgumentOutOfRangeException.ThrowIfLessThan(regionBytes, 2 * (long)WalFormat.MaxFrameBytes);
        DeviceBounds.Check(device.LengthBytes, regionStart, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(regionStart + regionBytes, device.LengthBytes);
        _device = device;
        _regionStart = regionStart;
        _regionBytes = regionBytes;
        _lakeTag = lakeTag;
    }

    /// <summary>Written into every following frame: the mount epoch, which never decreases.</summary>
    public ulong Epoch { get; set; }

    /// <summary>
    /// Where the next frame goes; a checkpoint taken now replays from here. While a frame is replayed:
    /// its own position.
    /// </summary>
    public WalPosition Next => _next;

    /// <summary>Checksum of the frame before the next one; 0 when that begins a new chain.</summary>
    public uint LastCrc => _lastCrc;

    /// <summary>The oldest frame that is still kept.</summary>
    public WalPosition Tail => _tail;

    public long UsedBytes => _usedBytes;

    public double UsedFraction => (double)_usedBytes / _regionBytes;

    /// <summary>Whether entries wait in the open frame.</summary>
    public bool HasOpenFrame => _entryCount != 0;

    public int OpenFrameBytes => WalFormat.FrameBytes(_payloadBytes);

    /// <summary>Whether the log has room for the open frame with one more entry in it.</summary>
    public bool HasRoomFor(int entryBytes) => HasRoom(WalFormat.FrameBytes(_payloadBytes + entryBytes));

    /// <summary>Highest seq of the open frame, 0 when it holds none.</summary>
    public ulong OpenFrameLastSeq => _lastSeq;

    /// <summary>Whether the open frame has room for one more entry.</summary>
    public bool FitsOpenFrame(int entryBytes) => entryBytes <= WalFormat.MaxPayloadBytes - _payloadBytes;

    /// <summary>Starts an empty log. The caller has cleared the region (<see cref="WalRegion.Clear"/>).</summary>
    public void Format() => Become(WalPosition.Start, WalPosition.Start, 0);

    /// <summary>
    /// Adds one ring-format entry to the open frame. <paramref name="seq"/> is 0 for an entry that is not
    /// an intent. Nothing is written to the device.
    /// </summary>
    public WalAppendResult Append(ReadOnlySpan<byte> entry, ulong seq)
    {
        RequireReady();
        if (entry.IsEmpty || entry.Length > WalFormat.MaxPayloadBytes)
        {
            throw new ArgumentOutOfRangeException(nameof(entry), entry.Length, "an entry has 1 byte to just under 1 MiB");
        }
        if (!FitsOpenFrame(entry.Length))
        {
            return WalAppendResult.FrameFull;
        }
        if (!HasRoom(WalFormat.FrameBytes(_payloadBytes + entry.Length)))
        {
            return WalAppendResult.LogFull;
        }
        WalSector.Put(_frame.Span, WalFormat.HeaderBytes + _payloadBytes, entry);
        _payloadBytes += entry.Length;
        _entryCount++;
        if (seq != 0)
        {
            _firstSeq = _firstSeq == 0 ? seq : _firstSeq;
            _lastSeq = Math.Max(_lastSeq, seq);
        }
        return WalAppendResult.Appended;
    }

    /// <summary>
    /// Makes the open frame durable and returns its last seq (0 when nothing was open). After a failure
    /// the log accepts nothing more: what the device holds is known only after a new replay.
    /// </summary>
    /// <param name="sink">Writes the frame.</param>
    /// <param name="knownSeq">The sink is told at least this seq, also by a frame without intents.</param>
    public ulong CommitOpenFrame(ICommitSink sink, ulong knownSeq = 0)
    {
        RequireReady();
        if (_entryCount == 0)
        {
            return 0;
        }
        int frameBytes = OpenFrameBytes;
        long offset = PlaceFor(frameBytes, out long consumedBytes);
        uint crc = SealFrame(frameBytes);
        ulong lastSeq = _lastSeq;
        _hasFailed = true;
        sink.Commit(_frame.Slice(0, frameBytes), _regionStart + offset, Math.Max(lastSeq, knownSeq));
        _hasFailed = false;
        _usedBytes += consumedBytes;
        _lastCrc = crc;
        _next = new WalPosition(_next.Lsn + 1, offset + frameBytes);
        ClearOpenFrame();
        return lastSeq;
    }

    /// <summary>Gives up the entries of the open frame, which were never acknowledged.</summary>
    public void DropOpenFrame() => ClearOpenFrame();

    /// <summary>
    /// Frees everything before a position that the older of the two kept checkpoints replays from. Call
    /// it only after the superblock that makes those frames unnecessary is durable.
    /// </summary>
    public void TrimTo(WalPosition position)
    {
        RequireReady();
        if (position.Lsn < _tail.Lsn || position.Lsn > _next.Lsn)
        {
            throw new ArgumentOutOfRangeException(nameof(position), position, $"the log holds {_tail} to {_next}");
        }
        _tail = position;
        _usedBytes = UsedBetween(position, _next);
    }

    /// <summary>
    /// Keeps frames before the tail, too, from a position on. False, and nothing changes, when the one there
    /// is not it any more. Frames are overwritten in their order, so those behind it are there if it is.
    /// </summary>
    /// <exception cref="StorageException">The device failed; the log is what it was.</exception>
    public bool KeepFrom(IBlockDevice device, WalPosition position)
    {
        RequireReady();
        if (!IsInside(position))
        {
            return false;
        }
        if (position.Lsn >= _tail.Lsn)
        {
            return position.Lsn <= _next.Lsn;
        }
        using var reader = new WalReader(device, _regionStart, _regionBytes, _lakeTag);
        if (!TryReadSuccessor(reader, position, 0, 0, out _, out _, out _))
        {
            return false;
        }
        _tail = position;
        _usedBytes = UsedBetween(position, _next);
        return true;
    }

    /// <summary>
    /// Visits every frame from a checkpoint's position up to the first that is not intact, not of this
    /// lake or not the successor of the one before it, and leaves the log ready to append there.
    /// </summary>
    /// <exception cref="StorageException">The position is outside the region, or the device failed.</exception>
    /// <param name="from">The position in the superblock that is recovered from.</param>
    /// <param name="visitor">Called for each frame, in order.</param>
    /// <param name="keepFrom">The other superblock's position, whose frames must not be overwritten yet.</param>
    public WalReplayResult Replay(WalPosition from, WalFrameVisitor visitor, WalPosition? keepFrom = null)
    {
        if (from.Lsn == 0 || from.OffsetBytes < 0 || from.OffsetBytes > _regionBytes || !DeviceBounds.IsAligned(from.OffsetBytes))
        {
            throw StorageException.Corruption($"the checkpoint names a place outside the log: {from} of {_regionBytes} bytes");
        }
        using var reader = new WalReader(_device, _regionStart, _regionBytes, _lakeTag);
        WalPosition next = from;
        uint previousCrc = 0;
        ulong epoch = 0;
        ulong lastSeq = 0;
        long frames = 0;
        long bytes = 0;
        while (TryReadSuccessor(reader, next, previousCrc, epoch, out WalFrame header, out long offset, out ReadOnlySpan<byte> payload))
        {
            _next = next;
            visitor(header, payload);
            frames++;
            bytes += WalFormat.FrameBytes((int)header.PayloadBytes);
            previousCrc = header.Crc32c;
            epoch = header.Epoch;
            lastSeq = Math.Max(lastSeq, header.LastSeq);
            next = new WalPosition(header.Lsn + 1, offset + WalFormat.FrameBytes((int)header.PayloadBytes));
        }
        LogEndDamage damage = LogEnd.Look(reader, next, _regionBytes, out bool isUnread);
        bool later = LaterFrameExists(reader, next, epoch, isFar: damage != LogEndDamage.None);
        bool isThere = keepFrom is not { } oldest || oldest.Lsn >= from.Lsn || TryReadSuccessor(reader, oldest, 0, 0, out _, out _, out _);
        Become(keepFrom is { } kept && kept.Lsn < from.Lsn ? kept : from, next, previousCrc);
        Epoch = Math.Max(Epoch, epoch);
        return new WalReplayResult(frames, bytes, lastSeq, next, later, damage, isUnread, isThere);
    }

    /// <summary>
    /// Clears all that is not kept, and what cannot be read at all of what is: damage that was told must not be taken
    /// for that of another frame by a later recovery, nor a frame that was given up for one that follows. Before the
    /// next frame is committed. Where the log ends comes last, so that a power cut leaves the same damage to be found.
    /// </summary>
    /// <param name="takesUnread">Also what is kept and the device could not read just now: for a repair, which makes it unnecessary.</param>
    /// <exception cref="StorageException">The device failed.</exception>
    public void Mend(bool takesUnread)
    {
        RequireReady();
        foreach ((long from, long to) in FreeSpace())
        {
            WalRegion.ClearBackwards(_device, _regionStart + from, to - from);
        }
        WalRegion.ClearDamaged(_device, _regionStart, _regionBytes, takesUnread);
        _device.Flush();
    }

    /// <summary>How many blocks of what is not kept are damaged: no loss, but one day a frame may be looked for there.</summary>
    /// <param name="device">The log's, for reading.</param>
    public long CountDamagedFree(IBlockDevice device)
    {
        RequireReady();
        return FreeSpace().Sum(free => WalRegion.CountDamaged(device, _regionStart + free.From, free.To - free.From));
    }

    // The part where the log ends comes last. While it is wrapped the rest before the end of the region is not free.
    private IEnumerable<(long From, long To)> FreeSpace()
    {
        if (_usedBytes == 0 || _next.OffsetBytes > _tail.OffsetBytes)
        {
            yield return (0, _usedBytes == 0 ? _next.OffsetBytes : _tail.OffsetBytes);
            yield return (_next.OffsetBytes, _regionBytes);
        }
        else
        {
            yield return (_next.OffsetBytes, _tail.OffsetBytes);
        }
    }

    /// <summary>
    /// Reads every frame that is kept, from the tail to the next one. Returns the number of the first that is not
    /// there, null when all are.
    /// </summary>
    /// <param name="device">The log's, for reading.</param>
    public ulong? FirstGap(IBlockDevice device)
    {
        RequireReady();
        using var reader = new WalReader(device, _regionStart, _regionBytes, _lakeTag);
        WalPosition at = _tail;
        uint previousCrc = 0;
        while (at.Lsn < _next.Lsn)
        {
            if (!TryReadSuccessor(reader, at, previousCrc, 0, out WalFrame header, out long offset, out _))
            {
                return at.Lsn;
            }
            previousCrc = header.Crc32c;
            at = new WalPosition(header.Lsn + 1, offset + WalFormat.FrameBytes((int)header.PayloadBytes));
        }
        return null;
    }

    /// <summary>Bytes of the region from a position, which is kept, to the next frame; 0 when it is not kept.</summary>
    public long BytesSince(WalPosition position) =>
        position.Lsn < _tail.Lsn || position.Lsn > _next.Lsn ? 0 : UsedBetween(position, _next);

    /// <summary>
    /// Copies whole frames, from the one at <paramref name="from"/> on, header and payload without the sectors. Returns
    /// where the next one is: <paramref name="from"/> itself when that frame is not kept or not intact, or
    /// when none has been committed since.
    /// </summary>
    /// <param name="from">A frame's position.</param>
    /// <param name="target">Room for <see cref="WalFormat.MaxFrameBytes"/> at least.</param>
    /// <param name="bytes">Copied.</param>
    /// <param name="lastSeq">The highest seq in them, 0 for none.</param>
    /// <param name="device">The log's, for reading: a failure of it is not the log's end.</param>
    public WalPosition CopyFrames(IBlockDevice device, WalPosition from, Span<byte> target, out int bytes, out ulong lastSeq)
    {
        RequireReady();
        bytes = 0;
        lastSeq = 0;
        if (from.Lsn < _tail.Lsn || !IsInside(from))
        {
            return from;
        }
        using var reader = new WalReader(device, _regionStart, _regionBytes, _lakeTag);
        WalPosition next = from;
        uint previousCrc = 0;
        while (next.Lsn < _next.Lsn
            && TryReadSuccessor(reader, next, previousCrc, 0, out WalFrame header, out long offset, out ReadOnlySpan<byte> payload))
        {
            int flatBytes = WalFormat.FlatBytes((int)header.PayloadBytes);
            if (flatBytes > target.Length - bytes)
            {
                break;
            }
            Span<byte> flat = target.Slice(bytes, flatBytes);
            MemoryMarshal.Write(flat, in header);
            payload.CopyTo(flat[WalFormat.HeaderBytes..]);
            flat[(WalFormat.HeaderBytes + payload.Length)..].Clear();
            bytes += flatBytes;
            lastSeq = Math.Max(lastSeq, header.LastSeq);
            previousCrc = header.Crc32c;
            next = new WalPosition(header.Lsn + 1, offset + WalFormat.FrameBytes((int)header.PayloadBytes));
        }
        return next;
    }

    public void Dispose() => _frame.Dispose();

    internal static bool TryReadSuccessor(
        WalReader reader, WalPosition at, uint previousCrc, ulong epoch,
        out WalFrame header, out long offset, out ReadOnlySpan<byte> payload)
    {
        // A frame that did not fit before the end of the region went to its start. The first frame after a
        // recovery that found none begins a new chain, with 0.
        offset = at.OffsetBytes;
        for (int attempt = 0; attempt < 2; attempt++)
        {
            if (reader.TryReadFrame(offset, out header, out payload) &&
                header.Lsn == at.Lsn &&
                header.Epoch >= epoch &&
                (previousCrc == 0 || header.PrevCrc32c == 0 || header.PrevCrc32c == previousCrc))
            {
                return true;
            }
            if (offset == 0)
            {
                break;
            }
            offset = 0;
        }
        header = default;
        payload = default;
        return false;
    }

    // The frame after the missing one begins at most one frame further on, or at the start of the region; or,
    // when the missing one itself went there, at most one frame behind the start. Where there is damage more than
    // one may be missing.
    private bool LaterFrameExists(WalReader reader, WalPosition end, ulong epoch, bool isFar)
    {
        if (Planted.Is(PlantedFault.LaterFramesNotLookedFor))
        {
            return false;
        }
        long last = _regionBytes - WalFormat.AlignmentBytes;
        long limit = isFar ? last : Math.Min(end.OffsetBytes + WalFormat.MaxFrameBytes, last);
        for (long offset = end.OffsetBytes; offset <= limit; offset += WalFormat.AlignmentBytes)
        {
            if (IsLater(reader, offset, end.Lsn, epoch))
            {
                return true;
            }
        }
        bool mayHaveWrapped = end.OffsetBytes + WalFormat.MaxFrameBytes > _regionBytes;
        long first = isFar ? Math.Min(end.OffsetBytes, last) : mayHaveWrapped ? WalFormat.MaxFrameBytes : 0;
        for (long offset = 0; offset <= first; offset += WalFormat.AlignmentBytes)
        {
            if (IsLater(reader, offset, end.Lsn, epoch))
            {
                return true;
            }
        }
        return false;
    }

    // One of an older epoch is of a history that was given up.
    private static bool IsLater(WalReader reader, long offset, ulong lsn, ulong epoch) =>
        reader.TryReadFrame(offset, out WalFrame header, out _) &&
        header.Lsn > lsn &&
        header.Epoch >= epoch;

    private bool IsInside(WalPosition position) =>
        position.OffsetBytes >= 0 && position.OffsetBytes <= _regionBytes && DeviceBounds.IsAligned(position.OffsetBytes);

    private bool HasRoom(int frameBytes)
    {
        PlaceFor(frameBytes, out long consumed);
        return _usedBytes + consumed <= _regionBytes;
    }

    // Consumed: what the frame takes from the free space, the gap before the end of the region included.
    private long PlaceFor(int frameBytes, out long consumedBytes)
    {
        if (_next.OffsetBytes + frameBytes <= _regionBytes)
        {
            consumedBytes = frameBytes;
            return _next.OffsetBytes;
        }
        consumedBytes = _regionBytes - _next.OffsetBytes + frameBytes;
        return 0;
    }

    private long UsedBetween(WalPosition tail, WalPosition next)
    {
        if (tail.Lsn == next.Lsn)
        {
            return 0;
        }
        long distance = next.OffsetBytes - tail.OffsetBytes;
        return distance > 0 ? distance : distance + _regionBytes;
    }

    private uint SealFrame(int frameBytes)
    {
        var header = new WalFrame
        {
            Magic = LakeFormat.WalMagic,
            Version = WalFormat.Version,
            LakeTag = _lakeTag,
            Epoch = Epoch,
            Lsn = _next.Lsn,
            FirstSeq = _firstSeq,
            LastSeq = _lastSeq,
            PayloadBytes = (uint)_payloadBytes,
            EntryCount = _entryCount,
            PrevCrc32c = _lastCrc,
        };
        header.Crc32c = Checksum(header);
        MemoryMarshal.Write(_frame.Span, in header);
        WalSector.Seal(_frame.Slice(0, frameBytes), WalFormat.HeaderBytes + _payloadBytes, WalSector.MarkOf(header.Lsn));
        return header.Crc32c;
    }

    private uint Checksum(in WalFrame header)
    {
        uint crc = WalReader.BeginChecksum(header);
        int left = _payloadBytes;
        for (int at = WalFormat.HeaderBytes, sector = 0; left > 0; at = 0, sector++)
        {
            int count = Math.Min(left, WalSector.ContentBytes - at);
            crc = Crc32C.Update(crc, _frame.Slice((sector * WalSector.Bytes) + at, count));
            left -= count;
        }
        return ~crc;
    }

    private void Become(WalPosition tail, WalPosition next, uint lastCrc)
    {
        _tail = tail;
        _next = next;
        _lastCrc = lastCrc;
        _usedBytes = UsedBetween(tail, next);
        _isReady = true;
        _hasFailed = false;
        ClearOpenFrame();
    }

    private void ClearOpenFrame()
    {
        _payloadBytes = 0;
        _entryCount = 0;
        _firstSeq = 0;
        _lastSeq = 0;
    }

    private void RequireReady()
    {
        if (!_isReady || _hasFailed)
        {
            throw new InvalidOperationException(_hasFailed ? "an earlier commit failed" : "replay or format the log first");
        }
    }
}
