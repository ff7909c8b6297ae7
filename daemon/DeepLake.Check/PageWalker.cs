// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;

namespace DeepLake.Check;

/// <summary>Receives each item of the tree in key order.</summary>
internal interface IItemVisitor
{
    void Visit(in ItemKey key, ReadOnlySpan<byte> data);
}

/// <summary>
/// Walks the tree from its root through its own reading of the page format, checking every page: own
/// id, level, bounds, order of the keys, and that they lie between the separators above.
/// </summary>
internal sealed class PageWalker(ReadPage read, Findings findings, IItemVisitor visitor)
{
    private readonly HashSet<ulong> _seen = [];
    private ItemKey _last;
    private bool _hasLast;

    public ulong Pages { get; private set; }

    public void Walk(ulong root, uint height)
    {
        if (height is 0 or > 16)
        {
            findings.Add($"the tree has height {height}");
            return;
        }

        Walk(root, (int)height - 1, null, null);
    }

    public static int Compare(in ItemKey a, in ItemKey b) => a.Object != b.Object
        ? a.Object.CompareTo(b.Object)
        : a.Type != b.Type ? a.Type.CompareTo(b.Type) : a.Offset.CompareTo(b.Offset);

    private void Walk(ulong id, int level, ItemKey? low, ItemKey? high)
    {
        if (!_seen.Add(id))
        {
            findings.Add($"page {id} is reached twice");
            return;
        }

        byte[] page = new byte[PageReader.PageBytes];
        if (!TryRead(id, page))
        {
            return;
        }

        Pages++;
        if (PageReader.Problem(id, level, page) is { } problem)
        {
            findings.Add($"{problem}");
            return;
        }

        int count = PageReader.CountOf(page);
        for (int i = 0; i < count; i++)
        {
            ItemKey key = PageReader.KeyAt(page, i, out ReadOnlySpan<byte> data);
            // the first slot of an inner page also stands for everything below it
            if (level == 0 || i > 0)
            {
                findings.Require(low is null || Compare(key, low.Value) >= 0, $"page {id}: key {Text(key)} below its range");
                findings.Require(high is null || Compare(key, high.Value) < 0, $"page {id}: key {Text(key)} above its range");
            }

            if (level == 0)
            {
                VisitItem(id, key, data);
                continue;
            }

            ItemKey? childLow = i == 0 ? low : key;
            ItemKey? childHigh = i + 1 < count ? PageReader.KeyAt(page, i + 1, out _) : high;
            Walk(MemoryMarshal.Read<ulong>(data), level - 1, childLow, childHigh);
        }
    }

    private void VisitItem(ulong id, in ItemKey key, ReadOnlySpan<byte> data)
    {
        if (_hasLast && Compare(_last, key) >= 0)
        {
            findings.Add($"page {id}: key {Text(key)} is not after {Text(_last)}");
        }

        _last = key;
        _hasLast = true;
        visitor.Visit(key, data);
    }

    private bool TryRead(ulong id, Span<byte> page)
    {
        try
        {
            read(id, page);
            return true;
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            findings.Add($"page {id} cannot be read: {failure.Message}");
            return false;
        }
    }

    private static string Text(in ItemKey key) => $"({key.Object}, {(uint)key.Type}, {key.Offset})";
}
