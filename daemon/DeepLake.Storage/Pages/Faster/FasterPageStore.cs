// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;
using FASTER.core;

namespace DeepLake.Storage.Faster;

/// <summary>
/// Pages in FASTER's hash index and hybrid log, on our device layer (docs/decisions/0002). All I/O runs
/// on the caller's thread, so a run is as deterministic as its device.
/// </summary>
public sealed unsafe partial class FasterPageStore : IPageStore
{
    /// <summary>Log that a transaction may need beyond what is counted: the rest of a FASTER page, twice.</summary>
    private const int SlackPages = 2;

    private const int BucketBytes = 64;

    /// <summary>Of the managed heap, for everything but stores.</summary>
    private const long HeapReserveBytes = 24L << 20;

    private readonly IBlockDevice _device;
    private readonly PageStoreGeometry _geometry;
    private readonly DeviceLatch _latch;
    private readonly LogRegionDevice _log;
    private readonly TicketCheckpointManager _checkpoints;
    private readonly FasterKV<PageKey, PageValue> _store;
    private readonly PageFunctions _functions = new();
    private readonly LogLayout _layout;
    private readonly LogMask _mask;
    private readonly PageCache _cache;
    private readonly AlignedBuffer _scratch = new(PageFormat.PageBytes);
    private ClientSession<PageKey, PageValue, Empty, PageOutput, Empty, PageFunctions> _session = null!;
    private long _livePages;

    private FasterPageStore(IBlockDevice device, PageStoreGeometry geometry, PageStoreOptions options, LogMask mask)
    {
        geometry.Validate(device.LengthBytes);
        _device = device;
        _geometry = geometry;
        _layout = new LogLayout(options.LogPageBits);
        _latch = new DeviceLatch();
        _mask = mask;
        _log = new LogRegionDevice(device, geometry.LogStart, geometry.LogBytes, _layout, mask, _latch);
        _checkpoints = new TicketCheckpointManager(device, geometry, _latch);
        int memoryBits = LogMemoryBits(options);
        long buckets = IndexBuckets(geometry.LogBytes);
        RequireMemory((buckets * BucketBytes) + (1L << memoryBits));
        _cache = new PageCache(options.MemoryBytes - (1L << memoryBits));
        _store = new FasterKV<PageKey, PageValue>(
            buckets,
            new LogSettings
            {
                LogDevice = _log,
                PageSizeBits = options.LogPageBits,
                MemorySizeBits = memoryBits,
                SegmentSizeBits = 30,
                ReadCopyOptions = ReadCopyOptions.None,
            },
            new CheckpointSettings { CheckpointManager = _checkpoints },
            comparer: new PageKeyComparer(),
            concurrencyControlMode: ConcurrencyControlMode.None,
            lockTableSize: 64);
        _log.Tail = () => _store.Log.TailAddress;
    }

    public long LivePages => _livePages;

    public long CapacityPages => _geometry.LogBytes / (3 * LogLayout.RecordBytes);

    public bool IndexWasDamaged { get; private init; }

    public bool CheckpointDue =>
        _store.Log.TailAddress - _checkpointTail >= CheckpointIntervalBytes ||
        WritableRecords < ReserveRecords && _layout.PageStart(_compactedUntil) - _log.ReuseLimit >= CheckpointIntervalBytes / 2;

    // Above the reserve each write may also pay for the cleaning of PacePages records, copied at worst;
    // within it only checkpoints clean.
    public long RoomPages
    {
        get
        {
            long records = WritableRecords;
            return records <= ReserveRecords ? records : ReserveRecords + (records - ReserveRecords) / (1 + PacePages);
        }
    }

    /// <summary>Hash index in memory and in its slot, bytes.</summary>
    public long IndexBytes => (_store.IndexSize + _store.OverflowBucketCount) * BucketBytes;

    /// <summary>Bytes of the region in use, what older checkpoints still hold included.</summary>
    public long UsedBytes => _store.Log.TailAddress - _log.ReuseLimit;

    internal long LogBytesWritten => _log.BytesWritten;

    public bool TryRead(ulong pageId, Span<byte> page)
    {
        PageFormat.RequirePage(page);
        _latch.ThrowIfFailed();
        if (_cache.TryGet(pageId, page))
        {
            return true;
        }
        fixed (byte* destination = page)
        {
            if (!Find(pageId, destination, out _, out bool fromDevice))
            {
                return false;
            }
            if (!PageFormat.IsIntact(pageId, page))
            {
                throw Corrupt(pageId);
            }
            if (fromDevice)
            {
                _cache.Put(pageId, page);
            }
        }
        return true;
    }

    public void Write(ulong pageId, ReadOnlySpan<byte> page, bool isKnown = false)
    {
        PageFormat.RequirePage(page);
        _latch.ThrowIfFailed();
        RequireRoom();
        bool existed = isKnown || _cache.Contains(pageId) || Find(pageId, null, out _, out _);
        page.CopyTo(_scratch.Span);
        PageFormat.Seal(pageId, _scratch.Span);
        Upsert(pageId, _scratch.Span);
        if (_cache.Contains(pageId))
        {
            _cache.Put(pageId, _scratch.Span);
        }
        _livePages += existed ? 0 : 1;
        PaceCompaction();
        _latch.ThrowIfFailed();
    }

    public bool Delete(ulong pageId, bool isKnown = false)
    {
        _latch.ThrowIfFailed();
        RequireRoom();
        if (!isKnown && !_cache.Contains(pageId) && !Find(pageId, null, out _, out _))
        {
            return false;
        }
        _cache.Remove(pageId);
        var key = new PageKey(pageId);
        Status status = _session.Delete(ref key);
        RequireDone(status);
        _livePages--;
        PaceCompaction();
        _latch.ThrowIfFailed();
        return true;
    }

    public void Dispose()
    {
        _session.Dispose();
        _store.Dispose();
        _scanBuffer?.Dispose();
        _readAhead?.Dispose();
        _cache.Dispose();
        _scratch.Dispose();
    }

    // Null destination: only whether it is there. A page below FASTER's memory costs a device read, and its
    // address is then not known.
    private bool Find(ulong pageId, byte* destination, out long address, out bool fromDevice)
    {
        var key = new PageKey(pageId);
        Empty input = default;
        var output = new PageOutput { Destination = destination };
        ReadOptions options = default;
        _log.BeginChain();
        Status status = _session.Read(ref key, ref input, ref output, ref options, out RecordMetadata metadata);
        fromDevice = status.IsPending;
        bool found = status.Found;
        address = metadata.Address;
        if (fromDevice)
        {
            _session.CompletePending(wait: true);
            found = _functions.CompletedFound;
        }
        _latch.ThrowIfFailed();
        return found;
    }

    private void Upsert(ulong pageId, Span<byte> page)
    {
        var key = new PageKey(pageId);
        RequireDone(_session.Upsert(ref key, ref PageValue.From(page)));
    }

    private void RequireDone(Status status)
    {
        if (status.IsPending)
        {
            _session.CompletePending(wait: true);
        }
        if (status.IsFaulted || status.IsCanceled)
        {
            var failure = new StorageException(Errno.EIO, $"the page store refused a write: {status}");
            _latch.Set(failure);
            throw failure;
        }
    }

    private long ReserveRecords => _geometry.LogBytes / (8 * LogLayout.RecordBytes);

    // What the log can still take, of writes and of cleaning.
    private long FreeRecords
    {
        get
        {
            long free = _log.ReuseLimit + _geometry.LogBytes - _store.Log.TailAddress - SlackPages * _layout.PageBytes;
            return Math.Max(0, free / _layout.PageBytes * _layout.RecordsPerPage);
        }
    }

    // The last FASTER page is for cleaning alone: a log that is full can always be made less so.
    private long WritableRecords => Math.Max(0, FreeRecords - _layout.RecordsPerPage);

    private void RequireRoom()
    {
        if (_isHeld && WritableRecords == 0)
        {
            Release();
        }
        if (WritableRecords == 0)
        {
            throw new StorageException(Errno.ENOSPC, "the page log is full up to the previous checkpoint");
        }
    }

    private StorageException Corrupt(ulong pageId)
    {
        StorageException failure = StorageException.Corruption($"page {pageId} does not match its checksum");
        _latch.Set(failure);
        return failure;
    }

    // A power of two, at most two thirds of the budget; the cache has the rest. FASTER wants 4 pages and more.
    private static int LogMemoryBits(PageStoreOptions options)
    {
        int bits = options.LogPageBits + 2;
        while (1L << (bits + 1) <= options.MemoryBytes * 2 / 3)
        {
            bits++;
        }
        return bits;
    }

    // FASTER has its index, which is as large as the region needs, and the tail of its log in the managed heap.
    // What the heap's limit has no room for would end the process, and the next one as well.
    private static void RequireMemory(long bytes)
    {
        long limit = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        long left = limit - GC.GetTotalMemory(forceFullCollection: false) - HeapReserveBytes;
        if (limit != 0 && bytes > left)
        {
            throw new StorageException(
                Errno.ENOMEM,
                $"a lake of this size needs {bytes >> 20} MiB for the index of its metadata pages, and the daemon may take {Math.Max(0, left >> 20)} more; the machine needs more memory");
        }
    }

    // 7 entries a bucket: the live third of the region fills between a third and three quarters of them.
    private static long IndexBuckets(long logBytes)
    {
        long wanted = logBytes / LogLayout.RecordBytes / 16;
        long buckets = 256;
        while (buckets < wanted)
        {
            buckets *= 2;
        }
        return buckets;
    }
}
