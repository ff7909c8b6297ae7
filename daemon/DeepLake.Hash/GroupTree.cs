// SPDX-License-Identifier: MPL-2.0
using System.Numerics;
using DeepLake.Hash.Kernels;
using DeepLake.Hash.Tree;

namespace DeepLake.Hash;

/// <summary>
/// The upper part of a content's hash tree, kept: the values of its groups of 64 KiB and every node
/// above them, 64 bytes for each group. After a change of some bytes only their groups are hashed again,
/// and the nodes from there to the root. Allocates when the content grows, never otherwise; not for
/// several threads at once.
/// </summary>
/// <remarks>
/// Level 0 holds the group values; a node of the next level is the parent of two, and an odd last one is
/// carried up as it is. That is BLAKE3's tree, as its left subtrees are full ones (paper, section 2.1).
/// The value of the only group of a small content is the content's hash.
/// </remarks>
public sealed unsafe class GroupTree
{
    private readonly HashKernel _kernel;
    private readonly List<Blake3Hash[]> _levels = [[]];
    private readonly List<ulong[]> _changed = [[]];
    private ulong[] _missing = [];
    private int _missingCount;
    private int _firstWord = int.MaxValue;
    private int _lastWord = -1;

    public GroupTree()
        : this(HashKernel.Best)
    {
    }

    internal GroupTree(HashKernel kernel)
    {
        _kernel = kernel;
    }

    /// <summary>Bytes of the content.</summary>
    public long LengthBytes { get; private set; }

    public int GroupCount { get; private set; }

    /// <summary>Of the groups in order, to be kept elsewhere; those not set yet are anything.</summary>
    public ReadOnlySpan<Blake3Hash> GroupValues => _levels[0].AsSpan(0, GroupCount);

    /// <summary>How many levels lie above the groups.</summary>
    internal int Height => GroupCount <= 1 ? 0 : BitOperations.Log2((uint)GroupCount - 1) + 1;

    /// <summary>Bytes of a group; all but the last have <see cref="Blake3.GroupBytes"/>.</summary>
    public int GroupLength(int index) => (int)Math.Min(Blake3.GroupBytes, LengthBytes - (long)index * Blake3.GroupBytes);

    /// <summary>
    /// Another length. Groups that are new or have another length than before must be set before the
    /// root is asked for, and the first one when there were or are now fewer than two.
    /// </summary>
    public void Resize(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        long wanted = (bytes + Blake3.GroupBytes - 1) / Blake3.GroupBytes;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(wanted, Array.MaxLength);
        Reserve((int)wanted);
        int before = GroupCount;
        int common = Math.Min(before, (int)wanted);
        int length = common == 0 ? 0 : GroupLength(common - 1);
        for (int i = common; i < Math.Max(before, wanted); i++)
        {
            SetMissing(i, wanted > before);
        }
        LengthBytes = bytes;
        GroupCount = (int)wanted;
        if (common > 0)
        {
            bool wasAlone = before == 1;
            bool isAlone = wanted == 1;
            if (GroupLength(common - 1) != length || wasAlone != isAlone)
            {
                SetMissing(common - 1, true);
            }
            // The old root and the new one are compressed differently.
            MarkChanged(0);
            MarkChanged(common - 1);
        }
    }

    /// <summary>Hashes a group; <paramref name="data"/> is all of it.</summary>
    public void SetGroup(int index, ReadOnlySpan<byte> data)
    {
        Check(index);
        if (data.Length != GroupLength(index))
        {
            throw new ArgumentException($"group {index} has {GroupLength(index)} bytes, {data.Length} were given", nameof(data));
        }
        Put(index, GroupCount == 1 ? Blake3.Hash(_kernel, data) : Blake3.GroupValue(_kernel, data, index));
    }

    /// <summary>A value that was kept, or computed elsewhere.</summary>
    public void SetGroup(int index, Blake3Hash value)
    {
        Check(index);
        Put(index, value);
    }

    /// <summary>The content's hash. Every group must have been set.</summary>
    public Blake3Hash Root()
    {
        if (_missingCount > 0)
        {
            throw new InvalidOperationException($"{_missingCount} of {GroupCount} groups have no value");
        }
        if (GroupCount == 0)
        {
            return Blake3.Hash(_kernel, []);
        }
        Update();
        return _levels[Height][0];
    }

    /// <summary>A node; the root must have been asked for since the last change.</summary>
    internal Blake3Hash Node(int level, int index) => _levels[level][index];

    private static int CountAt(int groups, int level) => (int)(((long)groups + (1L << level) - 1) >> level);

    private void Check(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, GroupCount);
    }

    private void Put(int index, Blake3Hash value)
    {
        _levels[0][index] = value;
        SetMissing(index, false);
        MarkChanged(index);
    }

    private void Reserve(int groups)
    {
        if (groups <= _levels[0].Length)
        {
            return;
        }
        int capacity = (int)Math.Min(Array.MaxLength, Math.Max(groups, 2L * _levels[0].Length));
        Array.Resize(ref _missing, (capacity + 63) / 64);
        for (int level = 0; level == 0 || CountAt(capacity, level - 1) > 1; level++)
        {
            if (level == _levels.Count)
            {
                _levels.Add([]);
                _changed.Add([]);
            }
            Blake3Hash[] values = _levels[level];
            ulong[] changed = _changed[level];
            int count = CountAt(capacity, level);
            Array.Resize(ref values, count);
            Array.Resize(ref changed, (count + 63) / 64);
            _levels[level] = values;
            _changed[level] = changed;
        }
    }

    private bool IsMissing(int index) => (_missing[index / 64] >> (index % 64) & 1) != 0;

    private void SetMissing(int index, bool missing)
    {
        if (IsMissing(index) != missing)
        {
            _missing[index / 64] ^= 1ul << (index % 64);
            _missingCount += missing ? 1 : -1;
        }
    }

    private void MarkChanged(int index)
    {
        int word = index / 64;
        _changed[0][word] |= 1ul << (index % 64);
        _firstWord = Math.Min(_firstWord, word);
        _lastWord = Math.Max(_lastWord, word);
    }

    // Level by level: the parents of what has changed.
    private void Update()
    {
        int height = Height;
        for (int level = 0; level < height; level++)
        {
            UpdateParents(level, level == height - 1);
            _firstWord /= 2;
            _lastWord /= 2;
        }
        if (_lastWord >= 0)
        {
            _changed[height].AsSpan(0, Math.Min(_lastWord + 1, _changed[height].Length)).Clear();
        }
        _firstWord = int.MaxValue;
        _lastWord = -1;
    }

    private void UpdateParents(int level, bool isTop)
    {
        byte** pairs = stackalloc byte*[HashKernel.MaxInputs];
        int* parents = stackalloc int[HashKernel.MaxInputs];
        int waiting = 0;
        int count = CountAt(GroupCount, level);
        ulong[] changed = _changed[level];
        ulong[] above = _changed[level + 1];
        int last = Math.Min(_lastWord, (count - 1) / 64);
        fixed (Blake3Hash* values = _levels[level], results = _levels[level + 1])
        {
            for (int word = _firstWord; word <= last; word++)
            {
                ulong bits = changed[word];
                changed[word] = 0;
                // One bit for each pair of which either has changed.
                for (bits = (bits | bits >> 1) & 0x5555555555555555; bits != 0; bits &= bits - 1)
                {
                    int left = 64 * word + BitOperations.TrailingZeroCount(bits);
                    int parent = left / 2;
                    if (left >= count)
                    {
                        break;
                    }
                    above[parent / 64] |= 1ul << (parent % 64);
                    if (left + 1 == count)
                    {
                        results[parent] = values[left];
                        continue;
                    }
                    pairs[waiting] = (byte*)(values + left);
                    parents[waiting++] = parent;
                    if (waiting == HashKernel.MaxInputs)
                    {
                        Compress(pairs, parents, waiting, isTop, results);
                        waiting = 0;
                    }
                }
            }
            if (waiting > 0)
            {
                Compress(pairs, parents, waiting, isTop, results);
            }
        }
    }

    private void Compress(byte** pairs, int* parents, int count, bool isTop, Blake3Hash* results)
    {
        Blake3Hash* made = stackalloc Blake3Hash[HashKernel.MaxInputs];
        if (isTop)
        {
            TreeHasher.Parent(_kernel, pairs[0], BlockFlags.Root, (byte*)made);
        }
        else
        {
            _kernel.HashMany(pairs, count, 1, 0, 0, BlockFlags.ParentNode, 0, (byte*)made);
        }
        for (int i = 0; i < count; i++)
        {
            results[parents[i]] = made[i];
        }
    }
}
