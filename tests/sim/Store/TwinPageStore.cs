// SPDX-License-Identifier: MPL-2.0
using System.Buffers.Binary;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Sim;

/// <summary>
/// The page store's twin for the simulator: small and quick, and everything it has lies on the device, so
/// that every fault of the device reaches it. Pages are never written where they are: a changed one goes
/// to a free slot of the log's region, and a checkpoint writes a map of page to slot into free slots
/// too. Slots come free when neither of the two newest checkpoints nor a held one has them.
/// </summary>
internal sealed partial class TwinPageStore : IPageStore
{
    private const int SliceWrites = 8;

    private readonly IBlockDevice _device;
    private readonly long _start;
    private readonly int[] _refs;
    private readonly int _memoryPages;
    private readonly Dictionary<ulong, Place> _map = [];
    private readonly Dictionary<ulong, byte[]> _waiting = [];
    private StorageException? _failure;
    private TwinCheckpoint _last = TwinCheckpoint.None;
    private TwinCheckpoint _previous = TwinCheckpoint.None;
    private TwinCheckpoint? _held;
    private int _free;
    private int _hand;
    private int _changes;
    private long _lostRoom;
    private int _newPages; // of those that wait, the ones that are not in the map

    private TwinPageStore(IBlockDevice device, PageStoreGeometry geometry, PageStoreOptions options)
    {
        _device = device;
        _start = geometry.LogStart;
        _refs = new int[geometry.LogBytes / PageFormat.PageBytes];
        _free = _refs.Length;
        _memoryPages = (int)Math.Max(1, options.MemoryBytes / PageFormat.PageBytes);
    }

    /// <summary>From here on the checkpoint before the last may be gone.</summary>
    public Action? CheckpointBegins { get; set; }

    public long LivePages => _map.Count + _newPages;

    public long CapacityPages => _refs.Length / 3;

    public bool CheckpointDue => _changes > _refs.Length / 8;

    public long RoomPages => Math.Max(0, _free - _waiting.Count - MapSlots(_map.Count + _waiting.Count) - _lostRoom);

    public static TwinPageStore Open(
        IBlockDevice device, PageStoreGeometry geometry, CheckpointTicket? ticket, PageStoreOptions? options)
    {
        var store = new TwinPageStore(device, geometry, options ?? PageStoreOptions.Default);
        if (ticket is not null)
        {
            store.Load(ticket);
        }

        return store;
    }

    /// <summary>
    /// As after a reopening of the real store, whose log goes on at a new page: less room, until the next
    /// checkpoint cleans.
    /// </summary>
    /// <param name="left">What is told to be left, at most.</param>
    public void LoseRoom(long left) => _lostRoom = Math.Max(0, RoomPages - left);

    public bool TryRead(ulong pageId, Span<byte> page)
    {
        PageFormat.RequirePage(page);
        ThrowIfFailed();
        if (_waiting.TryGetValue(pageId, out byte[]? bytes))
        {
            bytes.CopyTo(page);
            return true;
        }

        if (!_map.TryGetValue(pageId, out Place place))
        {
            return false;
        }

        Guarded(page, OffsetOf(place.Slot), isWrite: false);
        if (BinaryPrimitives.ReadUInt32LittleEndian(page) != place.Crc || !PageFormat.IsIntact(pageId, page))
        {
            throw Latch(StorageException.Corruption($"page {pageId}"));
        }

        return true;
    }

    public void Write(ulong pageId, ReadOnlySpan<byte> page, bool isKnown = false)
    {
        PageFormat.RequirePage(page);
        ThrowIfFailed();
        RequireKnown(pageId, isKnown);
        if (!_waiting.TryGetValue(pageId, out byte[]? bytes))
        {
            if (RoomPages == 0 && !(Release() && RoomPages > 0))
            {
                throw new StorageException(Errno.ENOSPC, "the page store is full");
            }

            bytes = new byte[PageFormat.PageBytes];
            _newPages += _map.ContainsKey(pageId) ? 0 : 1;
        }

        page.CopyTo(bytes);
        PageFormat.Seal(pageId, bytes);
        _waiting[pageId] = bytes;
        _changes++;
        if (_waiting.Count > _memoryPages)
        {
            WriteSome(_memoryPages / 2 + 1);
        }
    }

    public bool Delete(ulong pageId, bool isKnown = false)
    {
        ThrowIfFailed();
        RequireKnown(pageId, isKnown);
        bool existed = _waiting.Remove(pageId);
        if (_map.Remove(pageId, out Place place))
        {
            existed = true;
            Drop(place.Slot);
        }
        else if (existed)
        {
            _newPages--;
        }

        _changes += existed ? 1 : 0;
        return existed;
    }

    public bool PrepareSlice()
    {
        ThrowIfFailed();
        WriteSome(SliceWrites);
        return _waiting.Count > 0;
    }

    public bool Hold()
    {
        if (_held is not null)
        {
            return false;
        }

        _held = _last;
        if (!Planted.Is(PlantedFault.HeldPagesReused))
        {
            Take(_held);
        }

        return true;
    }

    public bool Release()
    {
        if (_held is not { } held)
        {
            return false;
        }

        _held = null;
        if (!Planted.Is(PlantedFault.HeldPagesReused))
        {
            Drop(held);
        }

        return true;
    }

    public int CompactSlice(int maxPages) => 0;

    public void Dispose() => _failure ??= new StorageException(Errno.EBADF, "the page store is closed");

    private long OffsetOf(int slot) => _start + ((long)slot * PageFormat.PageBytes);

    // Dictionary order is the order of insertion until something is removed: still the same every time.
    private void WriteSome(int count)
    {
        foreach (ulong pageId in _waiting.Keys.Take(count).ToArray())
        {
            byte[] bytes = _waiting[pageId];
            int slot = Allocate();
            Guarded(bytes, OffsetOf(slot), isWrite: true);
            _waiting.Remove(pageId);
            if (_map.TryGetValue(pageId, out Place old))
            {
                Drop(old.Slot);
            }
            else
            {
                _newPages--;
            }

            _map[pageId] = new Place(slot, BinaryPrimitives.ReadUInt32LittleEndian(bytes));
        }
    }

    private int Allocate()
    {
        if (_free == 0)
        {
            throw new SimulationException("the twin has no slot although there was room");
        }

        while (_refs[_hand] != 0)
        {
            _hand = (_hand + 1) % _refs.Length;
        }

        Take(_hand);
        return _hand;
    }

    private void Take(int slot) => _free -= _refs[slot]++ == 0 ? 1 : 0;

    private void Drop(int slot) => _free += --_refs[slot] == 0 ? 1 : 0;

    private void Take(TwinCheckpoint checkpoint) => Array.ForEach(checkpoint.Slots, Take);

    private void Drop(TwinCheckpoint checkpoint) => Array.ForEach(checkpoint.Slots, Drop);

    private void RequireKnown(ulong pageId, bool isKnown)
    {
        if (isKnown && !_waiting.ContainsKey(pageId) && !_map.ContainsKey(pageId))
        {
            throw new SimulationException($"page {pageId} is said to exist in the page store, and does not");
        }
    }

    private void Guarded(Span<byte> bytes, long offset, bool isWrite)
    {
        try
        {
            if (isWrite)
            {
                _device.Write(bytes, offset);
            }
            else
            {
                _device.Read(bytes, offset);
            }
        }
        catch (StorageException failure)
        {
            throw Latch(failure);
        }
    }

    private StorageException Latch(StorageException failure) => _failure = failure;

    private void ThrowIfFailed()
    {
        if (_failure is not null)
        {
            throw new StorageException(_failure.Errno, _failure.Message, _failure);
        }
    }

    private readonly record struct Place(int Slot, uint Crc);
}
