// SPDX-License-Identifier: MPL-2.0
using DeepLake.Storage;

namespace DeepLake.Metadata.Tree;

/// <summary>
/// Ordered map from <see cref="TreeKey"/> to at most 1280 bytes, kept in 4096-byte pages: a B+tree
/// with variable-length items, splits by bytes and merges of sparse neighbours (Comer, "The
/// Ubiquitous B-Tree", 1979). Spans it returns point into the page cache and are valid until the
/// next call. Deterministic: the same calls give the same pages. One thread.
/// </summary>
public sealed unsafe partial class BTree : IDisposable
{
    public const int MaxItemBytes = 1280;
    private const int MaxHeight = 16;
    private const int SparseBytes = TreePage.Capacity / 3;
    private const int MergedBytes = TreePage.Capacity * 9 / 10;

    private readonly PageCache _cache;
    private PageMeta _meta;
    private bool _metaStored;

    private BTree(PageCache cache) => _cache = cache;

    /// <summary>Sequence number written into pages that change from now on.</summary>
    public ulong Seq { get; set; }

    public ulong PageCount => _meta.PageCount;

    /// <summary>Changed pages that <see cref="Flush"/> will hand to the store.</summary>
    public int DirtyPages => _cache.DirtyPages;

    /// <summary>Changes whenever <see cref="DirtyPages"/> or the store's room may have.</summary>
    public ulong WorkStamp => _cache.WorkStamp;

    public static BTree CreateEmpty(IPageStore store, int cacheFrames)
    {
        var tree = new BTree(new PageCache(store, cacheFrames))
        {
            _meta = new PageMeta { Height = 1, Root = PageMeta.FirstPage, NextPage = PageMeta.FirstPage + 1, PageCount = 1 },
        };
        new TreePage(tree._cache.Create(PageMeta.FirstPage)).Format(PageMeta.FirstPage, 0);
        return tree;
    }

    /// <exception cref="MetadataCorruptException">The store holds no valid tree.</exception>
    public static BTree Open(IPageStore store, int cacheFrames)
    {
        var tree = new BTree(new PageCache(store, cacheFrames)) { _metaStored = true };
        tree._meta = PageMeta.Read(new ReadOnlySpan<byte>(tree._cache.Get(PageMeta.MetaPage), TreePage.Size));
        return tree;
    }

    /// <summary>Hands all changes to the page store, ready for its checkpoint.</summary>
    public void Flush()
    {
        _cache.BeginOperation();
        _meta.Seq = Seq;
        byte* page = _metaStored ? _cache.GetForWrite(PageMeta.MetaPage) : _cache.Create(PageMeta.MetaPage);
        _metaStored = true;
        _meta.Write(new Span<byte>(page, TreePage.Size));
        _cache.Flush();
    }

    /// <summary>Hands up to this many changed pages to the store; false when the last call of a round did the rest.</summary>
    public bool FlushSome(int pages)
    {
        _cache.BeginOperation();
        return _cache.FlushSome(pages);
    }

    public bool TryGet(scoped in TreeKey key, out ReadOnlySpan<byte> data)
    {
        TreePage leaf = Locate(key, out int index);
        if (leaf.HasKeyAt(index, key))
        {
            data = leaf.Data(index);
            return true;
        }

        data = default;
        return false;
    }

    public bool Contains(scoped in TreeKey key) => Locate(key, out int index).HasKeyAt(index, key);

    /// <summary>The first item with a key not below <paramref name="key"/>.</summary>
    public bool TryGetAtOrAfter(scoped in TreeKey key, out TreeKey found, out ReadOnlySpan<byte> data)
    {
        if (!TryGetLeaf(key, out TreePage leaf, out int index))
        {
            found = default;
            data = default;
            return false;
        }

        found = leaf.Key(index);
        data = leaf.Data(index);
        return true;
    }

    /// <summary>The page with the first item not below <paramref name="key"/>; the others behind it follow there.</summary>
    internal bool TryGetLeaf(scoped in TreeKey key, out TreePage leaf, out int index)
    {
        leaf = Locate(key, out index);
        while (index >= leaf.Count)
        {
            TreeKey next = _fingers[_finger].High;
            if (next == TreeKey.Max)
            {
                return false;
            }

            leaf = Locate(next, out index);
        }

        return true;
    }

    /// <summary>The last item with a key not above <paramref name="key"/>.</summary>
    public bool TryGetAtOrBefore(scoped in TreeKey key, out TreeKey found, out ReadOnlySpan<byte> data)
    {
        TreePage leaf = Locate(key, out int index);
        if (!leaf.HasKeyAt(index, key))
        {
            index--;
        }

        if (index < 0)
        {
            leaf = WithPath(leaf, key);
        }

        while (index < 0)
        {
            if (!PreviousLeaf(ref leaf))
            {
                found = default;
                data = default;
                return false;
            }

            index = leaf.Count - 1;
        }

        found = leaf.Key(index);
        data = leaf.Data(index);
        return true;
    }

    /// <summary>Inserts or replaces an item.</summary>
    public void Put(scoped in TreeKey key, ReadOnlySpan<byte> data) => data.CopyTo(Reserve(key, data.Length));

    /// <summary>Inserts or replaces an item and returns its bytes to be filled (undefined before).</summary>
    public Span<byte> Reserve(scoped in TreeKey key, int dataBytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(dataBytes, MaxItemBytes);
        TreePage leaf = Locate(key, out int index);
        MarkChanged(leaf);
        if (leaf.HasKeyAt(index, key))
        {
            if (leaf.DataBytes(index) == dataBytes)
            {
                return leaf.WritableData(index);
            }

            leaf.RemoveAt(index);
        }

        if (leaf.Fits(dataBytes))
        {
            return leaf.InsertAt(index, key, dataBytes);
        }

        WithPath(leaf, key);
        return InsertWithSplit(0, index, key, dataBytes);
    }

    /// <summary>The item's bytes to be changed in place, or false.</summary>
    public bool TryGetForWrite(scoped in TreeKey key, out Span<byte> data)
    {
        TreePage leaf = Locate(key, out int index);
        if (leaf.HasKeyAt(index, key))
        {
            MarkChanged(leaf);
            data = leaf.WritableData(index);
            return true;
        }

        data = default;
        return false;
    }

    public bool Delete(scoped in TreeKey key)
    {
        TreePage leaf = Locate(key, out int index);
        if (!leaf.HasKeyAt(index, key))
        {
            return false;
        }

        MarkChanged(leaf);
        leaf.RemoveAt(index);
        if (leaf.UsedBytes < SparseBytes)
        {
            WithPath(leaf, key);
            MergeUpwards(0);
        }

        return true;
    }

    /// <summary>Deletes what a search has found. A tree in which it is found and cannot be is damaged.</summary>
    /// <exception cref="MetadataCorruptException">Otherwise whoever goes on searching would find it for ever.</exception>
    public void DeleteFound(scoped in TreeKey key)
    {
        if (!Delete(key))
        {
            throw new MetadataCorruptException($"the item {key} is in the tree at a place where it is not found");
        }
    }

    /// <summary>
    /// Gives an item another key if its place among its neighbours stays the same; false when the item
    /// is not there or has to move.
    /// </summary>
    public bool TryRekey(scoped in TreeKey key, scoped in TreeKey newKey)
    {
        TreePage leaf = Locate(key, out int index);
        ref Finger finger = ref _fingers[_finger];
        if (!leaf.HasKeyAt(index, key) || !newKey.IsIn(finger.Low, finger.High) || !leaf.MayRekey(index, newKey))
        {
            return false;
        }

        MarkChanged(leaf);
        leaf.SetKey(index, newKey);
        return true;
    }

    /// <summary>Copies the raw bytes of a page, for the checker.</summary>
    public void CopyPage(ulong page, Span<byte> target)
    {
        _cache.BeginOperation();
        new ReadOnlySpan<byte>(_cache.Get(page), TreePage.Size).CopyTo(target);
    }

    public (ulong Root, uint Height) RootForCheck() => (_meta.Root, _meta.Height);

    public void Dispose() => _cache.Dispose();

    private TreePage Writable(ulong id)
    {
        var page = new TreePage(_cache.GetForWrite(id)) { Seq = Seq };
        return page;
    }

    /// <summary>Climbs until a left neighbour exists, then goes down its right edge.</summary>
    private bool PreviousLeaf(ref TreePage leaf)
    {
        int level = 1;
        while (level < _meta.Height && _pathIndex[level] == 0)
        {
            level++;
        }

        if (level >= _meta.Height)
        {
            return false;
        }

        _pathIndex[level]--;
        for (; level > 0; level--)
        {
            ulong id = new TreePage(_cache.Get(_pathPage[level])).Child(_pathIndex[level]);
            leaf = new TreePage(_cache.Get(id));
            _pathPage[level - 1] = id;
            _pathIndex[level - 1] = leaf.Count - 1;
        }

        return true;
    }

    /// <summary>
    /// Splits the page of the path at <paramref name="level"/>, inserts the item at
    /// <paramref name="index"/> (counted before the split) and returns its bytes.
    /// </summary>
    private Span<byte> InsertWithSplit(int level, int index, TreeKey key, int dataBytes)
    {
        _version++;
        ulong leftId = _pathPage[level];
        ulong rightId = _meta.NextPage++;
        _meta.PageCount++;
        byte* rightBytes = _cache.Create(rightId);
        TreePage left = Writable(leftId);
        var right = new TreePage(rightBytes);
        right.Format(rightId, level);
        right.Seq = Seq;

        int split = ChooseSplit(left, index, dataBytes, out bool itemGoesLeft);
        left.MoveTail(split, right);
        TreeKey separator = itemGoesLeft || index > split ? right.Key(0) : key;

        InsertChild(level + 1, separator, rightId);

        // the parent's change may have split pages above, never these two
        left = Writable(leftId);
        right = Writable(rightId);
        return itemGoesLeft ? left.InsertAt(index, key, dataBytes) : right.InsertAt(index - split, key, dataBytes);
    }

    /// <summary>
    /// The item count to keep on the left so that both halves fit and are balanced by bytes;
    /// an append at the end of the page keeps the left one full (sequential inserts).
    /// </summary>
    private static int ChooseSplit(TreePage page, int index, int dataBytes, out bool itemGoesLeft)
    {
        int count = page.Count;
        int item = dataBytes + TreePage.SlotBytes;
        if (index == count)
        {
            itemGoesLeft = false;
            return count;
        }

        int total = page.UsedBytes + item;
        int best = -1;
        int bestGap = int.MaxValue;
        bool bestLeft = false;
        int leftBytes = 0;
        for (int split = 0; split <= count; split++)
        {
            for (int side = 0; side < 2; side++)
            {
                bool goesLeft = side == 0;
                bool legal = goesLeft ? index <= split : index >= split;
                int left = leftBytes + (goesLeft ? item : 0);
                int right = total - left;
                if (legal && left <= TreePage.Capacity && right <= TreePage.Capacity && left > 0 && right > 0
                    && (goesLeft ? split < count : true) && Math.Abs(left - right) < bestGap)
                {
                    bestGap = Math.Abs(left - right);
                    best = split;
                    bestLeft = goesLeft;
                }
            }

            if (split < count)
            {
                leftBytes += page.Data(split).Length + TreePage.SlotBytes;
            }
        }

        if (best < 0)
        {
            throw new InvalidOperationException("a page cannot be split for an item of this size");
        }

        itemGoesLeft = bestLeft;
        return best;
    }

    /// <summary>Adds a child right of the path's child at <paramref name="level"/>.</summary>
    private void InsertChild(int level, TreeKey separator, ulong child)
    {
        if (level == _meta.Height)
        {
            GrowRoot();
        }

        TreePage parent = Writable(_pathPage[level]);
        int index = _pathIndex[level] + 1;
        Span<byte> data = parent.Fits(8)
            ? parent.InsertAt(index, separator, 8)
            : InsertWithSplit(level, index, separator, 8);
        BitConverter.TryWriteBytes(data, child);
    }

    private void GrowRoot()
    {
        if (_meta.Height == MaxHeight)
        {
            throw new InvalidOperationException("the metadata tree is too high");
        }

        ulong old = _meta.Root;
        ulong id = _meta.NextPage++;
        var root = new TreePage(_cache.Create(id));
        root.Format(id, (int)_meta.Height);
        root.Seq = Seq;
        BitConverter.TryWriteBytes(root.InsertAt(0, default, 8), old);
        _pathPage[(int)_meta.Height] = id;
        _pathIndex[(int)_meta.Height] = 0;
        _meta.Root = id;
        _meta.Height++;
        _meta.PageCount++;
    }

    /// <summary>The page of the path at this level became sparse: join it with a neighbour.</summary>
    private void MergeUpwards(int level)
    {
        if (level + 1 >= _meta.Height)
        {
            ShrinkRoot();
            return;
        }

        var parent = new TreePage(_cache.Get(_pathPage[level + 1]));
        int at = _pathIndex[level + 1];
        int rightAt = at + 1 < parent.Count ? at + 1 : at;
        if (rightAt == 0)
        {
            return;
        }

        ulong leftId = parent.Child(rightAt - 1);
        ulong rightId = parent.Child(rightAt);
        var left = new TreePage(_cache.Get(leftId));
        var right = new TreePage(_cache.Get(rightId));
        if (left.UsedBytes + right.UsedBytes > MergedBytes && left.Count > 0 && right.Count > 0)
        {
            return;
        }

        _version++;
        left = Writable(leftId);
        right = Writable(rightId);
        parent = Writable(_pathPage[level + 1]);
        right.MoveTail(0, left);
        parent.RemoveAt(rightAt);
        _cache.Delete(rightId);
        _meta.PageCount--;
        if (parent.UsedBytes < SparseBytes)
        {
            MergeUpwards(level + 1);
        }
    }

    private void ShrinkRoot()
    {
        while (_meta.Height > 1)
        {
            var root = new TreePage(_cache.Get(_meta.Root));
            if (root.Count != 1)
            {
                return;
            }

            _version++;
            ulong old = _meta.Root;
            _meta.Root = root.Child(0);
            _meta.Height--;
            _meta.PageCount--;
            _cache.Delete(old);
        }
    }
}
