// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;
using FASTER.core;

namespace DeepLake.Storage.Faster;

/// <summary>Checkpoints and recovery.</summary>
public sealed unsafe partial class FasterPageStore
{
    /// <summary>Below this, FASTER pages of 1 MiB would be too coarse a unit of free space.</summary>
    private const long SmallLogBytes = 512L << 20;

    private ulong _checkpointNumber;
    private long _checkpointTail;
    private long _beginAddress;
    private long _previousBeginAddress;
    private long _indexAddress;
    private bool _isHeld;

    private long CheckpointIntervalBytes => Math.Min(_geometry.LogBytes / 16, 64L << 20);

    // Recovery scans the log from the newest index checkpoint, so one is taken when that gets long.
    private long IndexIntervalBytes => Math.Min(_geometry.LogBytes / 8, 64L << 20);

    /// <summary>
    /// Opens the store as of a ticket, or empty without one. Nothing is written before the first
    /// <see cref="Write"/> fills FASTER's memory or <see cref="Checkpoint"/> is called.
    /// </summary>
    /// <exception cref="StorageException">The ticket, the index or the log behind it is corrupt, or the device failed.</exception>
    public static FasterPageStore Open(
        IBlockDevice device, PageStoreGeometry geometry, CheckpointTicket? ticket, PageStoreOptions? options = null)
    {
        options ??= PageStoreOptions.Default;
        StoreTicket? contents = ticket == null ? null : StoreTicket.Decode(ticket);
        try
        {
            return Open(device, geometry, contents, options);
        }
        catch (DamagedIndexException) when (contents != null)
        {
            // The index is only a quicker way to the records: the whole log gives it again.
            return Open(device, geometry, contents with { IndexSlot = StoreTicket.DamagedSlot(contents.IndexSlot) }, options);
        }
    }

    private static FasterPageStore Open(IBlockDevice device, PageStoreGeometry geometry, StoreTicket? contents, PageStoreOptions options)
    {
        int logPageBits = contents?.LogPageBits ?? options.LogPageBits;
        if (logPageBits == 0)
        {
            logPageBits = geometry.LogBytes < SmallLogBytes ? 18 : 20;
        }
        options = options with { LogPageBits = logPageBits };
        if (options.LogPageBits is < 16 or > 24)
        {
            throw StorageException.Corruption("the checkpoint ticket names an impossible log page size");
        }
        var mask = new LogMask(contents?.Salts ?? []);
        mask.Begin(contents?.TailAddress ?? 0, options.Salt ?? BitConverter.ToUInt64(Linux.RandomBytes(sizeof(ulong))));
        var store = new FasterPageStore(device, geometry, options, mask) { IndexWasDamaged = contents?.IndexSlot < -1 };
        try
        {
            if (contents != null)
            {
                store.Recover(contents, options.Before);
            }
            store.StartSession();
            return store;
        }
        catch
        {
            store._store.Dispose();
            store._cache.Dispose();
            store._scratch.Dispose();
            throw;
        }
    }

    public CheckpointTicket Checkpoint()
    {
        _latch.ThrowIfFailed();
        if (_isHeld && WritableRecords <= ReserveRecords)
        {
            Release();
        }
        CleanForSpace();
        _latch.ThrowIfFailed();
        long tail = _store.Log.TailAddress;
        if (_compactedUntil > _store.Log.BeginAddress)
        {
            _store.Log.ShiftBeginAddress(_compactedUntil);
        }
        bool withIndex = IndexIsDue(tail);
        bool success = withIndex
            ? _store.TakeFullCheckpointAsync(CheckpointType.FoldOver).AsTask().GetAwaiter().GetResult().success
            : _store.TakeHybridLogCheckpointAsync(CheckpointType.FoldOver).AsTask().GetAwaiter().GetResult().success;
        _latch.ThrowIfFailed();
        if (!success || _store.Log.TailAddress != tail)
        {
            throw Fail(Errno.EIO, "a page store checkpoint did not complete");
        }
        try
        {
            FlushPolicy.Flush(_device);
        }
        catch (StorageException failure)
        {
            _latch.Set(failure);
            throw;
        }
        if (withIndex)
        {
            _indexAddress = tail;
        }
        _previousBeginAddress = _checkpointNumber == 0 ? LogLayout.FirstAddress : _beginAddress;
        _beginAddress = Math.Max(_compactedUntil, LogLayout.FirstAddress);
        _checkpointTail = tail;
        _checkpointNumber++;
        UpdateReuseLimit();
        return MakeTicket().Encode();
    }

    public bool PrepareSlice()
    {
        _latch.ThrowIfFailed();
        long until = _layout.PageStart(_store.Log.TailAddress);
        long from = _store.Log.ReadOnlyAddress;
        if (from >= until)
        {
            return false;
        }
        // What becomes read-only is written at once.
        _store.Log.ShiftReadOnlyAddress(Math.Min(_layout.PageStart(from) + _layout.PageBytes, until), wait: true);
        _latch.ThrowIfFailed();
        return true;
    }

    public bool Hold()
    {
        bool isFirst = !_isHeld;
        _isHeld = true;
        return isFirst;
    }

    public bool Release()
    {
        bool wasHeld = _isHeld;
        _isHeld = false;
        UpdateReuseLimit();
        return wasHeld;
    }

    // The checkpoint that is held begins where the newest one began then, or later than what is kept anyway.
    private void UpdateReuseLimit()
    {
        if (!_isHeld)
        {
            _log.ReuseLimit = _layout.PageStart(_previousBeginAddress);
        }
    }

    // An index that outgrew its slot is not written: recovery then scans more of the log. Nor is one while a
    // checkpoint is held, whose slot it could take.
    private bool IndexIsDue(long tail)
    {
        if (_isHeld)
        {
            return false;
        }
        (_, long slotBytes) = _geometry.IndexSlot(_checkpoints.NextIndexSlot);
        bool fits = IndexBytes + 2 * LogRegionDevice.SectorBytes <= slotBytes;
        bool isFirst = _checkpoints.IndexSlot < 0;
        return fits && (isFirst || tail - _indexAddress >= IndexIntervalBytes);
    }

    private StoreTicket MakeTicket() => new()
    {
        LogPageBits = _layout.PageBits,
        Number = _checkpointNumber,
        BeginAddress = _beginAddress,
        PreviousBeginAddress = _previousBeginAddress,
        TailAddress = _checkpointTail,
        LivePages = _livePages,
        IndexAddress = _indexAddress,
        IndexSlot = _checkpoints.IndexSlot,
        IndexToken = _checkpoints.IndexToken,
        LogToken = _checkpoints.LogToken,
        IndexMetadata = _checkpoints.IndexMetadata,
        LogMetadata = _checkpoints.LogMetadata,
        IndexPieces = _checkpoints.IndexPieces,
        Salts = _mask.SaltsFrom(_layout.PageStart(_beginAddress)),
    };

    private void Recover(StoreTicket ticket, CheckpointTicket? before)
    {
        _checkpoints.Load(ticket);
        _checkpointNumber = ticket.Number;
        _checkpointTail = ticket.TailAddress;
        _beginAddress = ticket.BeginAddress;
        _previousBeginAddress = ticket.PreviousBeginAddress;
        _compactedUntil = ticket.BeginAddress;
        _indexAddress = ticket.IndexAddress;
        _livePages = ticket.LivePages;
        if (ticket.TailAddress - _layout.PageStart(ticket.BeginAddress) > _geometry.LogBytes)
        {
            throw StorageException.Corruption($"the checkpoint ticket has a log from {ticket.BeginAddress} to {ticket.TailAddress}, which is more than the region");
        }
        _log.ReuseLimit = _layout.PageStart(ticket.PreviousBeginAddress);
        if (ticket.TailAddress <= LogLayout.FirstAddress)
        {
            return; // a checkpoint of an empty store; FASTER has nothing to read
        }
        var damage = new DamagedRecords(_layout);
        CheckNewRecords(ticket, before, damage);
        _log.RecoveryCheck = (address, memory, count) => CheckRecords(address, (byte*)memory, count, damage);
        try
        {
            Guid index = ticket.IndexSlot < 0 ? Guid.Empty : ticket.IndexToken;
            _store.Recover(index, ticket.LogToken, numPagesToPreload: 0, undoNextVersion: false);
        }
        catch (Exception inner) when (inner is not StorageException and not OutOfMemoryException)
        {
            ThrowIfIndexIsDamaged();
            _latch.ThrowIfFailed();
            throw new StorageException(Errno.EUCLEAN, $"checkpoint {ticket.Number} of the page store cannot be read: {inner.Message}", inner);
        }
        finally
        {
            _log.RecoveryCheck = null;
        }
        ThrowIfIndexIsDamaged();
        _latch.ThrowIfFailed();
        if (damage.Problem is { } problem)
        {
            throw StorageException.Corruption(problem);
        }
        if (_store.Log.TailAddress != ticket.TailAddress || _store.Log.BeginAddress != ticket.BeginAddress)
        {
            throw StorageException.Corruption(
                $"the page log was found to have {_store.Log.BeginAddress}..{_store.Log.TailAddress}, the checkpoint ticket says {ticket.BeginAddress}..{ticket.TailAddress}");
        }
    }

    // FASTER reads the log from the newest index on. A checkpoint that came with an index of its own would be
    // taken unseen; what it has beyond the checkpoint before it is read here.
    private void CheckNewRecords(StoreTicket ticket, CheckpointTicket? before, DamagedRecords damage)
    {
        if (before == null || ticket.IndexSlot < 0)
        {
            return;
        }
        long from = ticket.BeginAddress;
        if (DecodeOrNull(before) is { } older && IsOfThisStore(older))
        {
            from = Math.Max(older.TailAddress, from);
        }
        long end = Math.Min(ticket.IndexAddress, ticket.TailAddress);
        if (from >= end)
        {
            return;
        }
        using var chunk = new AlignedBuffer((int)_layout.PageBytes);
        for (long page = _layout.PageStart(from); page < end; page += _layout.PageBytes)
        {
            int bytes = (int)(Math.Min(DeviceBounds.AlignUp(end), page + _layout.PageBytes) - page);
            _log.ReadOrGiveUp(page, chunk.Slice(0, bytes));
            CheckRecords(page, chunk.Pointer, bytes, damage);
        }
        _latch.ThrowIfFailed();
    }

    // A store that was made anew has nothing of the one before.
    private bool IsOfThisStore(StoreTicket older) =>
        older.LogPageBits == _layout.PageBits && new LogMask(older.Salts).SaltOf(older.TailAddress - 1) == _mask.SaltOf(older.TailAddress - 1);

    // It is only asked where it ends: what is wrong with it does not matter here.
    private static StoreTicket? DecodeOrNull(CheckpointTicket ticket)
    {
        try
        {
            return StoreTicket.Decode(ticket);
        }
        catch (StorageException)
        {
            return null;
        }
    }

    private void ThrowIfIndexIsDamaged()
    {
        if (_checkpoints.IndexIsDamaged)
        {
            throw new DamagedIndexException();
        }
    }

    // Of a piece of the log, from the start of a FASTER page on: every record of the checkpoint in it.
    private void CheckRecords(long address, byte* memory, int count, DamagedRecords damage)
    {
        long end = Math.Min(address + count, _checkpointTail);
        long record = _layout.FirstRecordAtOrAfter(Math.Max(address, _beginAddress));
        for (; record + LogLayout.RecordBytes <= end; record = _layout.FirstRecordAtOrAfter(record + LogLayout.RecordBytes))
        {
            damage.Look(record, memory + (record - address));
        }
    }

    private void StartSession() =>
        _session = _store.For(_functions).NewSession<PageFunctions>();

    private StorageException Fail(Errno errno, string message)
    {
        var failure = new StorageException(errno, message);
        _latch.Set(failure);
        return failure;
    }
}
