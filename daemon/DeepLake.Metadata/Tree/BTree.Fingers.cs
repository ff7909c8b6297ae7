// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Metadata.Tree;

/// <summary>
/// Finding leaves. The leaves used last, two for each item type, are remembered with the range of keys
/// that belongs to them (fingers): what comes next is mostly there, and the walk from the root is
/// saved. A finger is a hint only: it is void when the shape of the tree has changed or its frame
/// holds another page.
/// </summary>
public sealed unsafe partial class BTree
{
    private const int FingerTypes = 16;
    private readonly Finger[] _fingers = new Finger[FingerTypes * 2];
    private readonly ulong[] _pathPage = new ulong[MaxHeight];
    private readonly int[] _pathIndex = new int[MaxHeight];
    private ulong _version = 1; // of the tree's shape; 0 marks fingers never set
    private int _finger;        // of the leaf found last
    private bool _hasPath;      // the path leads to the leaf found last

    /// <summary>
    /// The leaf for a key and the place of the first item not below it, which may be behind its last one. Begins
    /// an operation: until the next one the leaf stays where it is, and after <see cref="MarkChanged"/> the bytes
    /// of its items may be changed where they lie.
    /// </summary>
    internal TreePage Locate(scoped in TreeKey key, out int index)
    {
        int at = (int)(key.Type % FingerTypes) * 2;
        if (!IsAt(ref _fingers[at], key))
        {
            if (!IsAt(ref _fingers[at + 1], key))
            {
                return LocateFromRoot(key, out index);
            }

            at++;
        }

        ref Finger finger = ref _fingers[at];
        _cache.BeginOperation();
        _cache.Touch(finger.Frame);
        _finger = at;
        _hasPath = false;
        _fingers[at ^ 1].IsNewer = false;
        finger.IsNewer = true;
        var leaf = new TreePage(_cache.At(finger.Frame));
        index = finger.Hint = leaf.LowerBound(key, finger.Hint);
        return leaf;
    }

    private bool IsAt(ref Finger finger, scoped in TreeKey key) =>
        finger.Version == _version && key.IsIn(finger.Low, finger.High) && _cache.Holds(finger.Frame, finger.Page);

    private TreePage LocateFromRoot(scoped in TreeKey key, out int index)
    {
        int at = (int)(key.Type % FingerTypes) * 2;
        at += _fingers[at].IsNewer ? 1 : 0;
        ref Finger finger = ref _fingers[at];
        _finger = at;
        TreePage leaf = Descend(key, out int frame, out finger.Low, out finger.High);
        finger.Page = leaf.Id;
        finger.Frame = frame;
        finger.Version = _version;
        _fingers[at ^ 1].IsNewer = false;
        finger.IsNewer = true;
        index = finger.Hint = leaf.LowerBound(key, finger.Hint);
        return leaf;
    }

    /// <summary>Walks to the leaf for a key; leaves the path (level → page, child index) behind.</summary>
    private TreePage Descend(scoped in TreeKey key, out int frame, out TreeKey low, out TreeKey high)
    {
        _cache.BeginOperation();
        low = default;
        high = TreeKey.Max;
        ulong id = _meta.Root;
        for (int level = (int)_meta.Height - 1; ; level--)
        {
            frame = _cache.GetFrame(id);
            var page = new TreePage(_cache.At(frame));
            if (page.Level != level)
            {
                throw new MetadataCorruptException($"metadata page {id} has level {page.Level}, expected {level}");
            }

            _pathPage[level] = id;
            if (level == 0)
            {
                _hasPath = true;
                return page;
            }

            int count = page.Count;
            if (count == 0)
            {
                throw new MetadataCorruptException($"inner metadata page {id} is empty");
            }

            int index = page.ChildIndex(key);
            _pathIndex[level] = index;
            id = page.Child(index);
            if (index > 0)
            {
                low = page.Key(index);
            }

            if (index + 1 < count)
            {
                high = page.Key(index + 1);
            }
        }
    }

    /// <summary>The leaf found last, now with the path to it.</summary>
    private TreePage WithPath(TreePage leaf, scoped in TreeKey key) => _hasPath ? leaf : Descend(key, out _, out _, out _);

    /// <summary>The leaf found last is about to be changed.</summary>
    internal void MarkChanged(TreePage leaf)
    {
        _cache.MarkDirty(_fingers[_finger].Frame);
        leaf.Seq = Seq;
    }

    private struct Finger
    {
        public TreeKey Low;
        public TreeKey High;
        public ulong Version;
        public ulong Page;
        public int Frame;
        public int Hint;
        public bool IsNewer;
    }
}
