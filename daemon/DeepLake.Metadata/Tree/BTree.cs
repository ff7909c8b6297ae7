// SPDX-License-Identifier: MPL-2.0
using DeepLake.Storage;

namespace DeepLake.Metadata.Tree;

/// <summary>
/// Ordered map from <see cref="TreeKey"/> to at most 1280 bytes, kept in 4096-byte pages: a B+tree
/// with variable-length items, splits by bytes and merges of sparse neighbours (Comer, "The
/// Ubiquitous B-Tree", 1979). Spans it returns point into the page cache and are valid until the
/// next call. Deterministic: the same calls give the same pages. One thread.
/// </summary>
public sealed unsafe class BTree : IDisposable
{
    public const int MaxItemBytes = 1280;
    private const int MaxHeight = 16;
    private const int SparseBytes = TreePage.Capacity / 3;
    private const int MergedBytes = TreePage.Capacity * 9 / 10;

    private readonly PageCache _cache;
    private readonly ulong[] _pathPage = new ulong[MaxHeight];
    private readonly int[] _pathIndex = new int[MaxHeight];
    private PageMeta _meta;
    private bool _metaStored;

    private BTree(PageCache cache) => _cache = cache;

    /// <summary>Sequence number written into pages that change from now on.</summary>
    public ulong Seq { get; set; }

    public ulong PageCount => _meta.PageCount;

    /// <summary>Changed pages that <see cref="Flush"/> will hand to the store.</summary>
    public int DirtyPages => _cache.DirtyPages;

    /// <summary>Changes whenever pages may have moved: what a cursor over raw pages must watch.</summary>
    public ulong Version { get; private set; }

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

    public bool TryGet(TreeKey key, out ReadOnlySpan<byte> data)
    {
        TreePage leaf = Descend(key);
        int index = leaf.LowerBound(key);
        if (index < leaf.Count && leaf.Key(index) == key)
        {
            data = leaf.Data(index);
            return true;
        }

        data = default;
        return false;
    }

    public bool Contains(TreeKey key) => TryGet(key, out _);

    /// <summary>The first item with a key not below <paramref name="key"/>.</summary>
    public bool TryGetAtOrAfter(TreeKey key, out TreeKey found, out ReadOnlySpan<byte> data)
    {
        TreePage leaf = Descend(key);
        int index = leaf.LowerBound(key);
        while (index >= leaf.Count)
        {
            if (!NextLeaf(ref leaf))
            {
                found = default;
                data = default;
                return false;
            }

            index = 0;
        }

        found = leaf.Key(index);
        data = leaf.Data(index);
        return true;
    }

    /// <summary>The last item with a key not above <paramref name="key"/>.</summary>
    public bool TryGetAtOrBefore(TreeKey key, out TreeKey found, out ReadOnlySpan<byte> data)
    {
        TreePage leaf = Descend(key);
        int index = leaf.LowerBound(key);
        if (index >= leaf.Count || leaf.Key(index) != key)
        {
            index--;
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
    public void Put(TreeKey key, ReadOnlySpan<byte> data) => data.CopyTo(Reserve(key, data.Length));

    /// <summary>Inserts or replaces an item and returns its bytes to be filled (undefined before).</summary>
    public Span<byte> Reserve(TreeKey key, int dataBytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(dataBytes, MaxItemBytes);
        Descend(key);
        TreePage leaf = WritableLeaf();
        int index = leaf.LowerBound(key);
        if (index < leaf.Count && leaf.Key(index) == key)
        {
            if (leaf.Data(index).Length == dataBytes)
            {
                return leaf.WritableData(index);
            }

            leaf.RemoveAt(index);
        }

        if (leaf.Fits(dataBytes))
        {
            return leaf.InsertAt(index, key, dataBytes);
        }

        return InsertWithSplit(0, index, key, dataBytes);
    }

    /// <summary>The item's bytes to be changed in place, or false.</summary>
    public bool TryGetForWrite(TreeKey key, out Span<byte> data)
    {
        TreePage leaf = Descend(key);
        int index = leaf.LowerBound(key);
        if (index < leaf.Count && leaf.Key(index) == key)
        {
            data = WritableLeaf().WritableData(index);
            return true;
        }

        data = default;
        return false;
    }

    public bool Delete(TreeKey key)
    {
        TreePage leaf = Descend(key);
        int index = leaf.LowerBound(key);
        if (index >= leaf.Count || leaf.Key(index) != key)
        {
            return false;
        }

        leaf = WritableLeaf();
        leaf.RemoveAt(index);
        if (leaf.UsedBytes < SparseBytes)
        {
            MergeUpwards(0);
        }

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

    /// <summary>Walks to the leaf for a key; leaves the path (level → page, child index) behind.</summary>
    private TreePage Descend(TreeKey key)
    {
        _cache.BeginOperation();
        ulong id = _meta.Root;
        for (int level = (int)_meta.Height - 1; ; level--)
        {
            var page = new TreePage(_cache.Get(id));
            if (page.Level != level)
            {
                throw new MetadataCorruptException($"metadata page {id} has level {page.Level}, expected {level}");
            }

            _pathPage[level] = id;
            if (level == 0)
            {
                return page;
            }

            if (page.Count == 0)
            {
                throw new MetadataCorruptException($"inner metadata page {id} is empty");
            }

            int index = page.ChildIndex(key);
            _pathIndex[level] = index;
            id = page.Child(index);
        }
    }

    private TreePage WritableLeaf() => Writable(_pathPage[0]);

    private TreePage Writable(ulong id)
    {
        var page = new TreePage(_cache.GetForWrite(id)) { Seq = Seq };
        return page;
    }

    private bool NextLeaf(ref TreePage leaf) => Step(ref leaf, forward: true);

    private bool PreviousLeaf(ref TreePage leaf) => Step(ref leaf, forward: false);

    /// <summary>Climbs until a neighbour exists, then goes down its near edge.</summary>
    private bool Step(ref TreePage leaf, bool forward)
    {
        int level = 1;
        for (; level < _meta.Height; level++)
        {
            var page = new TreePage(_cache.Get(_pathPage[level]));
            int index = _pathIndex[level] + (forward ? 1 : -1);
            if (index >= 0 && index < page.Count)
            {
                _pathIndex[level] = index;
                break;
            }
        }

        if (level >= _meta.Height)
        {
            return false;
        }

        ulong id = new TreePage(_cache.Get(_pathPage[level])).Child(_pathIndex[level]);
        for (level--; ; level--)
        {
            var page = new TreePage(_cache.Get(id));
            _pathPage[level] = id;
            if (level == 0)
            {
                leaf = page;
                return true;
            }

            _pathIndex[level] = forward ? 0 : page.Count - 1;
            id = page.Child(_pathIndex[level]);
        }
    }

    /// <summary>
    /// Splits the page of the path at <paramref name="level"/>, inserts the item at
    /// <paramref name="index"/> (counted before the split) and returns its bytes.
    /// </summary>
    private Span<byte> InsertWithSplit(int level, int index, TreeKey key, int dataBytes)
    {
        Version++;
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
        Version++;
        if (level + 1 >= _meta.Height)
        {
            ShrinkRoot();
            return;
        }

        TreePage parent = Writable(_pathPage[level + 1]);
        int at = _pathIndex[level + 1];
        int rightAt = at + 1 < parent.Count ? at + 1 : at;
        if (rightAt == 0)
        {
            return;
        }

        ulong leftId = parent.Child(rightAt - 1);
        ulong rightId = parent.Child(rightAt);
        TreePage left = Writable(leftId);
        TreePage right = Writable(rightId);
        if (left.UsedBytes + right.UsedBytes > MergedBytes)
        {
            return;
        }

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

            ulong old = _meta.Root;
            _meta.Root = root.Child(0);
            _meta.Height--;
            _meta.PageCount--;
            _cache.Delete(old);
        }
    }
}
