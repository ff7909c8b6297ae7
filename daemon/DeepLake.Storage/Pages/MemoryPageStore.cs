// SPDX-License-Identifier: MPL-2.0
using System.Buffers.Binary;
using DeepLake.Platform;

namespace DeepLake.Storage;

/// <summary>
/// The page store's twin in memory for simulation and tests. Opening it again on its medium with a
/// ticket gives that checkpoint's pages and nothing newer; older tickets than the last two are gone.
/// </summary>
public sealed class MemoryPageStore : IPageStore
{
    private const ulong TicketMagic = 0x314d454d504b4cUL; // "LKPMEM1"

    private readonly MemoryPageMedium _medium;
    private Dictionary<ulong, byte[]> _pages;
    private ulong _number;
    private long _changes;

    private MemoryPageStore(MemoryPageMedium medium, Dictionary<ulong, byte[]> pages, ulong number)
    {
        _medium = medium;
        _pages = pages;
        _number = number;
    }

    public long LivePages => _pages.Count;

    public long CapacityPages => _medium.CapacityPages;

    public bool CheckpointDue => _changes > CapacityPages / 4;

    public long RoomPages => Math.Max(0, 3 * CapacityPages - _pages.Count - _changes);

    public static MemoryPageStore Open(MemoryPageMedium medium, CheckpointTicket? ticket)
    {
        if (ticket == null)
        {
            return new MemoryPageStore(medium, [], 0);
        }
        if (ticket.Bytes.Length != 16 || BinaryPrimitives.ReadUInt64LittleEndian(ticket.Bytes) != TicketMagic)
        {
            throw StorageException.Corruption("the checkpoint ticket is not one of this page store");
        }
        ulong number = BinaryPrimitives.ReadUInt64LittleEndian(ticket.Bytes[8..]);
        return new MemoryPageStore(medium, new Dictionary<ulong, byte[]>(medium.Find(number)), number);
    }

    public bool TryRead(ulong pageId, Span<byte> page)
    {
        PageFormat.RequirePage(page);
        if (!_pages.TryGetValue(pageId, out byte[]? found))
        {
            return false;
        }
        if (!PageFormat.IsIntact(pageId, found))
        {
            throw StorageException.Corruption($"page {pageId} does not match its checksum");
        }
        found.CopyTo(page);
        return true;
    }

    public void Write(ulong pageId, ReadOnlySpan<byte> page, bool isKnown = false)
    {
        PageFormat.RequirePage(page);
        if (RoomPages == 0)
        {
            throw new StorageException(Errno.ENOSPC, "the page store is full");
        }
        byte[] copy = page.ToArray();
        PageFormat.Seal(pageId, copy);
        _pages[pageId] = copy;
        _changes++;
    }

    public bool Delete(ulong pageId, bool isKnown = false)
    {
        bool existed = _pages.Remove(pageId);
        _changes += existed ? 1 : 0;
        return existed;
    }

    public CheckpointTicket Checkpoint()
    {
        _number++;
        _medium.Keep(_number, new Dictionary<ulong, byte[]>(_pages));
        _changes = 0;
        Span<byte> ticket = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(ticket, TicketMagic);
        BinaryPrimitives.WriteUInt64LittleEndian(ticket[8..], _number);
        return new CheckpointTicket(ticket);
    }

    /// <summary>For the simulator: the machine dies inside <see cref="Checkpoint"/>.</summary>
    public void CrashInCheckpoint() => _medium.Tear(_number + 1);

    public int CompactSlice(int maxPages) => 0;

    public bool PrepareSlice() => false;

    public bool Hold() => _medium.Hold(_number);

    public bool Release() => _medium.Release();

    public void Dispose() => _pages = [];
}
