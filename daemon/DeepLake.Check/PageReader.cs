// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;

namespace DeepLake.Check;

/// <summary>
/// The checker's own reading of tree pages (docs/on-disk-format.md): bounds are checked before anything
/// of a page is believed.
/// </summary>
internal sealed class PageReader(ReadPage read)
{
    public const int PageBytes = 4096;

    private static readonly int HeaderBytes = Marshal.SizeOf<PageHeader>();
    private static readonly int SlotBytes = Marshal.SizeOf<PageSlot>();

    /// <summary>Null when the page is one of this id and level; else what is wrong.</summary>
    public static string? Problem(ulong id, int level, ReadOnlySpan<byte> page)
    {
        PageHeader header = MemoryMarshal.Read<PageHeader>(page);
        int slotsEnd = HeaderBytes + (header.Count * SlotBytes);
        if (header.Page != id || header.Level != level || slotsEnd > header.HeapStart || header.HeapStart > PageBytes)
        {
            return $"page {id} has an impossible header (id {header.Page}, level {header.Level}, {header.Count} items)";
        }

        if (level > 0 && header.Count == 0)
        {
            return $"inner page {id} is empty";
        }

        for (int i = 0; i < header.Count; i++)
        {
            PageSlot slot = SlotAt(page, i);
            if (slot.Bytes > 0 && (slot.At < header.HeapStart || slot.At + slot.Bytes > PageBytes))
            {
                return $"page {id}: item {i} lies outside the page";
            }

            if (level > 0 && slot.Bytes != 8)
            {
                return $"page {id}: child {i} is malformed";
            }
        }

        return null;
    }

    public static int CountOf(ReadOnlySpan<byte> page) => MemoryMarshal.Read<PageHeader>(page).Count;

    public static ItemKey KeyAt(ReadOnlySpan<byte> page, int index, out ReadOnlySpan<byte> data)
    {
        PageSlot slot = SlotAt(page, index);
        data = page.Slice(slot.At, slot.Bytes);
        return new ItemKey { Object = slot.Object, Type = (ItemType)slot.Type, Offset = slot.Offset };
    }

    /// <summary>
    /// The first item at or after a key in the leaf where the key belongs, or in the one that follows it.
    /// False when there is none, or when the way there is damaged.
    /// </summary>
    public bool TryFind(ulong root, uint height, in ItemKey key, out ItemKey found, out byte[] data)
    {
        ItemKey? from = key;
        for (int tries = 0; tries < 2 && from is { } wanted; tries++)
        {
            byte[] page = new byte[PageBytes];
            if (!TryDescend(root, height, wanted, page, out from))
            {
                break;
            }

            for (int i = 0; i < CountOf(page); i++)
            {
                found = KeyAt(page, i, out ReadOnlySpan<byte> item);
                if (PageWalker.Compare(found, key) >= 0)
                {
                    data = item.ToArray();
                    return true;
                }
            }
        }

        found = default;
        data = [];
        return false;
    }

    // To the leaf of a key; `next` is the smallest key that belongs to the leaf after it.
    private bool TryDescend(ulong root, uint height, in ItemKey key, byte[] page, out ItemKey? next)
    {
        next = null;
        ulong id = root;
        for (int level = (int)height - 1; level >= 0; level--)
        {
            try
            {
                read(id, page);
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                return false;
            }

            if (Problem(id, level, page) is not null)
            {
                return false;
            }

            if (level == 0)
            {
                return true;
            }

            int child = 0;
            int count = CountOf(page);
            while (child + 1 < count && PageWalker.Compare(KeyAt(page, child + 1, out _), key) <= 0)
            {
                child++;
            }

            if (child + 1 < count)
            {
                next = KeyAt(page, child + 1, out _);
            }

            KeyAt(page, child, out ReadOnlySpan<byte> item);
            id = MemoryMarshal.Read<ulong>(item);
        }

        return false;
    }

    private static PageSlot SlotAt(ReadOnlySpan<byte> page, int index) =>
        MemoryMarshal.Read<PageSlot>(page[(HeaderBytes + (index * SlotBytes))..]);
}
