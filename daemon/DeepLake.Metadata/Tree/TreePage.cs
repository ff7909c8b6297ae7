// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;

namespace DeepLake.Metadata.Tree;

/// <summary>
/// The bytes of one tree page (struct lakefs_page of proto/lakefs_format.h) seen as a sorted list of
/// items. A view over memory owned by the page cache: never kept across operations.
/// </summary>
internal readonly unsafe ref struct TreePage(byte* page)
{
    public const int Size = 4096;
    public const int HeaderBytes = 32;
    public const int SlotBytes = 24;
    public const int Capacity = Size - HeaderBytes;

    private readonly byte* _page = page;

    public Span<byte> Bytes => new(_page, Size);

    public int Level => *(ushort*)(_page + 4);

    public int Count => *(ushort*)(_page + 6);

    public ulong Id => *(ulong*)(_page + 8);

    public ulong Seq
    {
        get => *(ulong*)(_page + 16);
        set => *(ulong*)(_page + 16) = value;
    }

    /// <summary>Bytes taken by slots and live items.</summary>
    public int UsedBytes => (Count * SlotBytes) + (Size - HeapStart) - HoleBytes;

    public int FreeBytes => Capacity - UsedBytes;

    private int HeapStart => *(ushort*)(_page + 24);

    private int HoleBytes => *(ushort*)(_page + 26);

    public void Format(ulong id, int level)
    {
        Bytes.Clear();
        *(ushort*)(_page + 4) = (ushort)level;
        *(ulong*)(_page + 8) = id;
        *(ushort*)(_page + 24) = Size;
    }

    public TreeKey Key(int index)
    {
        byte* slot = Slot(index);
        return new TreeKey(*(ulong*)slot, *(ushort*)(slot + 16), *(ulong*)(slot + 8));
    }

    public ReadOnlySpan<byte> Data(int index)
    {
        byte* slot = Slot(index);
        return new ReadOnlySpan<byte>(_page + *(ushort*)(slot + 18), *(ushort*)(slot + 20));
    }

    public Span<byte> WritableData(int index)
    {
        byte* slot = Slot(index);
        return new Span<byte>(_page + *(ushort*)(slot + 18), *(ushort*)(slot + 20));
    }

    /// <summary>Whether the item is one of that object and type.</summary>
    public bool IsAt(int index, ulong obj, uint type)
    {
        byte* slot = Slot(index);
        return *(ulong*)slot == obj && *(ushort*)(slot + 16) == type;
    }

    public ulong Offset(int index) => *(ulong*)(Slot(index) + 8);

    public int DataBytes(int index) => *(ushort*)(Slot(index) + 20);

    public ulong Child(int index) => *(ulong*)(_page + *(ushort*)(Slot(index) + 18));

    public bool HasKeyAt(int index, scoped in TreeKey key)
    {
        byte* slot = Slot(index);
        return index < Count && *(ulong*)(slot + 8) == key.Offset && *(ulong*)slot == key.Object
            && *(ushort*)(slot + 16) == key.Type;
    }

    /// <summary>Index of the first item with a key not below <paramref name="key"/>.</summary>
    public int LowerBound(scoped in TreeKey key) => LowerBound(key, 0, Count);

    /// <summary>The same; looks at and behind <paramref name="hint"/> first, which may be any number.</summary>
    public int LowerBound(scoped in TreeKey key, int hint)
    {
        int count = Count;
        if (hint >= count)
        {
            hint = count;
            return count == 0 || CompareAt(count - 1, key) < 0 ? count : LowerBound(key, 0, count - 1);
        }

        int order = CompareAt(hint, key);
        if (order >= 0)
        {
            return order == 0 || hint == 0 || CompareAt(hint - 1, key) < 0 ? hint : LowerBound(key, 0, hint - 1);
        }

        // The next few are looked at one by one: items of one inode lie side by side.
        int end = Math.Min(hint + 4, count);
        for (int next = hint + 1; next < end; next++)
        {
            if (CompareAt(next, key) >= 0)
            {
                return next;
            }
        }

        return LowerBound(key, end, count);
    }

    /// <summary>In an inner page: the child whose range holds the key; the first one has all that is smaller.</summary>
    public int ChildIndex(scoped in TreeKey key)
    {
        ulong obj = key.Object;
        ulong offset = key.Offset;
        uint type = key.Type;
        byte* slots = _page + HeaderBytes;
        int low = 1;
        int high = Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            byte* slot = slots + (middle * SlotBytes);
            ulong value = *(ulong*)slot;
            if (value < obj || (value == obj && IsAtMost(slot, type, offset)))
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low - 1;
    }

    public bool Fits(int dataBytes) => FreeBytes >= dataBytes + SlotBytes;

    /// <summary>Inserts an item; the caller has checked <see cref="Fits"/>.</summary>
    public Span<byte> InsertAt(int index, scoped in TreeKey key, int dataBytes)
    {
        int count = Count;
        if (HeapStart - (HeaderBytes + ((count + 1) * SlotBytes)) < dataBytes)
        {
            Compact();
        }

        byte* slot = Slot(index);
        if (index < count)
        {
            Buffer.MemoryCopy(slot, slot + SlotBytes, (count - index) * SlotBytes, (count - index) * SlotBytes);
        }

        int at = HeapStart - dataBytes;
        *(ulong*)slot = key.Object;
        *(ulong*)(slot + 8) = key.Offset;
        *(ushort*)(slot + 16) = (ushort)key.Type;
        *(ushort*)(slot + 18) = (ushort)at;
        *(ushort*)(slot + 20) = (ushort)dataBytes;
        *(ushort*)(slot + 22) = 0;
        *(ushort*)(_page + 24) = (ushort)at;
        *(ushort*)(_page + 6) = (ushort)(count + 1);
        return new Span<byte>(_page + at, dataBytes);
    }

    public void RemoveAt(int index)
    {
        int count = Count;
        byte* slot = Slot(index);
        int bytes = *(ushort*)(slot + 20);
        if (*(ushort*)(slot + 18) == HeapStart)
        {
            *(ushort*)(_page + 24) += (ushort)bytes;
        }
        else
        {
            *(ushort*)(_page + 26) += (ushort)bytes;
        }

        int tail = (count - index - 1) * SlotBytes;
        if (tail > 0)
        {
            Buffer.MemoryCopy(slot + SlotBytes, slot, tail, tail);
        }

        *(ushort*)(_page + 6) = (ushort)(count - 1);
        if (count == 1)
        {
            *(ushort*)(_page + 24) = Size;
            *(ushort*)(_page + 26) = 0;
        }
    }

    /// <summary>Whether the item could have another key without moving.</summary>
    public bool MayRekey(int index, scoped in TreeKey key) =>
        (index == 0 || CompareAt(index - 1, key) < 0) && (index + 1 == Count || CompareAt(index + 1, key) > 0);

    public void SetKey(int index, scoped in TreeKey key)
    {
        byte* slot = Slot(index);
        *(ulong*)slot = key.Object;
        *(ulong*)(slot + 8) = key.Offset;
        *(ushort*)(slot + 16) = (ushort)key.Type;
    }

    /// <summary>Moves items [from, Count) to the end of another page.</summary>
    public void MoveTail(int from, TreePage target)
    {
        int count = Count;
        for (int i = from; i < count; i++)
        {
            ReadOnlySpan<byte> data = Data(i);
            data.CopyTo(target.InsertAt(target.Count, Key(i), data.Length));
        }

        for (int i = count - 1; i >= from; i--)
        {
            RemoveAt(i);
        }
    }

    /// <summary>Checks every bound before the page is believed; used on each read from the store.</summary>
    public bool IsSane(ulong id)
    {
        int count = Count;
        int slotsEnd = HeaderBytes + (count * SlotBytes);
        if (Id != id || Level > 16 || slotsEnd > HeapStart || HeapStart > Size || HoleBytes > Size - HeapStart)
        {
            return false;
        }

        int total = 0;
        for (int i = 0; i < count; i++)
        {
            byte* slot = Slot(i);
            int at = *(ushort*)(slot + 18);
            int bytes = *(ushort*)(slot + 20);
            if ((bytes > 0 && (at < HeapStart || at + bytes > Size)) || (Level > 0 && bytes != 8))
            {
                return false;
            }

            total += bytes;
            if (i > 0 && Key(i - 1) >= Key(i))
            {
                return false;
            }
        }

        return total + HoleBytes == Size - HeapStart;
    }

    private int LowerBound(scoped in TreeKey key, int low, int high)
    {
        ulong obj = key.Object;
        ulong offset = key.Offset;
        uint type = key.Type;
        byte* slots = _page + HeaderBytes;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            byte* slot = slots + (middle * SlotBytes);
            ulong value = *(ulong*)slot;
            if (value < obj || (value == obj && IsBelow(slot, type, offset)))
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsBelow(byte* slot, uint type, ulong offset)
    {
        uint value = *(ushort*)(slot + 16);
        return value < type || (value == type && *(ulong*)(slot + 8) < offset);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsAtMost(byte* slot, uint type, ulong offset)
    {
        uint value = *(ushort*)(slot + 16);
        return value < type || (value == type && *(ulong*)(slot + 8) <= offset);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int CompareAt(int index, scoped in TreeKey key)
    {
        byte* slot = Slot(index);
        ulong value = *(ulong*)slot;
        if (value != key.Object)
        {
            return value < key.Object ? -1 : 1;
        }

        uint type = *(ushort*)(slot + 16);
        if (type != key.Type)
        {
            return type < key.Type ? -1 : 1;
        }

        value = *(ulong*)(slot + 8);
        return value == key.Offset ? 0 : value < key.Offset ? -1 : 1;
    }

    [SkipLocalsInit]
    private void Compact()
    {
        byte* copy = stackalloc byte[Size];
        int start = HeapStart;
        Buffer.MemoryCopy(_page + start, copy + start, Size - start, Size - start);
        int at = Size;
        byte* slot = Slot(0);
        for (byte* end = Slot(Count); slot < end; slot += SlotBytes)
        {
            int bytes = *(ushort*)(slot + 20);
            at -= bytes;
            Unsafe.CopyBlockUnaligned(_page + at, copy + *(ushort*)(slot + 18), (uint)bytes);
            *(ushort*)(slot + 18) = (ushort)at;
        }

        *(ushort*)(_page + 24) = (ushort)at;
        *(ushort*)(_page + 26) = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private byte* Slot(int index) => _page + HeaderBytes + (index * SlotBytes);
}
