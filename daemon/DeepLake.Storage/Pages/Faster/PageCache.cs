// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;

namespace DeepLake.Storage.Faster;

/// <summary>
/// Copies of pages that had to be read from the device: 4-way sets, second chance. Pages in FASTER's
/// memory are not here. Its memory is touched only as it fills.
/// </summary>
internal sealed class PageCache : IDisposable
{
    private const int Ways = 4;

    private readonly AlignedBuffer? _memory;
    private readonly ulong[] _ids;
    private readonly byte[] _state; // 0 empty, 1 used, 2 used and recently wanted
    private readonly byte[] _hand;
    private readonly int _setMask;

    internal PageCache(long budgetBytes)
    {
        long sets = budgetBytes / (Ways * PageFormat.PageBytes);
        if (sets < 1)
        {
            _ids = [];
            _state = [];
            _hand = [];
            return;
        }
        int count = 1 << (63 - System.Numerics.BitOperations.LeadingZeroCount((ulong)Math.Min(sets, 1 << 16)));
        _setMask = count - 1;
        _memory = new AlignedBuffer(count * Ways * PageFormat.PageBytes);
        _ids = new ulong[count * Ways];
        _state = new byte[count * Ways];
        _hand = new byte[count];
    }

    /// <summary>Pages that fit in.</summary>
    internal int Capacity => _ids.Length;

    internal bool TryGet(ulong id, Span<byte> page)
    {
        int slot = Find(id);
        if (slot < 0)
        {
            return false;
        }
        _state[slot] = 2;
        Frame(slot).CopyTo(page);
        return true;
    }

    internal bool Contains(ulong id) => Find(id) >= 0;

    internal void Put(ulong id, ReadOnlySpan<byte> page)
    {
        if (_memory == null)
        {
            return;
        }
        int slot = Find(id);
        if (slot < 0)
        {
            slot = Victim(SetOf(id));
            _ids[slot] = id;
            _state[slot] = 1;
        }
        page.CopyTo(Frame(slot));
    }

    internal void Remove(ulong id)
    {
        int slot = Find(id);
        if (slot >= 0)
        {
            _state[slot] = 0;
        }
    }

    public void Dispose() => _memory?.Dispose();

    private int SetOf(ulong id) => (int)((id * 0x9e3779b97f4a7c15UL) >> 40) & _setMask;

    private int Find(ulong id)
    {
        if (_memory == null)
        {
            return -1;
        }
        int first = SetOf(id) * Ways;
        for (int slot = first; slot < first + Ways; slot++)
        {
            if (_state[slot] != 0 && _ids[slot] == id)
            {
                return slot;
            }
        }
        return -1;
    }

    private int Victim(int set)
    {
        while (true)
        {
            int way = _hand[set];
            _hand[set] = (byte)((way + 1) % Ways);
            int slot = set * Ways + way;
            if (_state[slot] <= 1)
            {
                return slot;
            }
            _state[slot] = 1;
        }
    }

    private Span<byte> Frame(int slot) => _memory!.Slice(slot * PageFormat.PageBytes, PageFormat.PageBytes);
}
