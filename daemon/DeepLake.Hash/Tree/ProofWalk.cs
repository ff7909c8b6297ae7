// SPDX-License-Identifier: MPL-2.0
using System.Numerics;
using DeepLake.Hash.Kernels;

namespace DeepLake.Hash.Tree;

/// <summary>
/// Goes through the tree of a content of which a range of bytes is there and, from a proof, the values of
/// the subtrees beside it.
/// </summary>
internal unsafe ref struct ProofWalk(HashKernel kernel, byte* data, long start, long end, Blake3Hash* proof, int proofCount)
{
    private readonly HashKernel _kernel = kernel;
    private readonly byte* _data = data;
    private readonly long _start = start;
    private readonly long _end = end;
    private readonly Blake3Hash* _proof = proof;
    private readonly int _proofCount = proofCount;
    private int _used;

    public readonly bool IsUsedUp => _used == _proofCount;

    /// <summary>The value of the subtree over these bytes of the content; false when the proof is too short.</summary>
    public bool Value(long from, long to, uint flags, Blake3Hash* result)
    {
        if (to <= _start || from >= _end)
        {
            if (_used == _proofCount)
            {
                return false;
            }
            *result = _proof[_used++];
            return true;
        }
        if (from >= _start && to <= _end)
        {
            TreeHasher.Value(_kernel, _data + (from - _start), (nuint)(to - from), TreeHasher.ChunkBytes, (ulong)from / TreeHasher.ChunkBytes, (byte*)result);
            return true;
        }
        // It is more than a group, as the range has whole groups.
        long left = (long)TreeHasher.ChunkBytes << BitOperations.Log2((ulong)(to - from - 1) / TreeHasher.ChunkBytes);
        Blake3Hash* pair = stackalloc Blake3Hash[2];
        if (!Value(from, from + left, 0, pair) || !Value(from + left, to, 0, pair + 1))
        {
            return false;
        }
        TreeHasher.Parent(_kernel, (byte*)pair, flags, (byte*)result);
        return true;
    }
}
