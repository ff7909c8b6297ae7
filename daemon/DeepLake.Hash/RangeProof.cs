// SPDX-License-Identifier: MPL-2.0
using System.Numerics;
using DeepLake.Hash.Kernels;
using DeepLake.Hash.Tree;

namespace DeepLake.Hash;

/// <summary>
/// Proves that some groups belong to a content whose hash is known, without the rest of the content: the
/// values of the largest subtrees outside the groups, from left to right. The proof also holds for the
/// length of the content when the last group is among the proven.
/// </summary>
public static unsafe class RangeProof
{
    /// <summary>The most values a proof has for a content of so many groups.</summary>
    public static int MaxValues(int groupCount) => groupCount <= 1 ? 0 : 2 * (BitOperations.Log2((uint)groupCount - 1) + 1);

    /// <summary>Writes the proof for <paramref name="count"/> groups from <paramref name="first"/> on.</summary>
    /// <returns>How many values it has, at most <see cref="MaxValues"/>.</returns>
    public static int Build(GroupTree tree, int first, int count, Span<Blake3Hash> proof)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, tree.GroupCount - first);
        tree.Root();
        int written = 0;
        Collect(tree, tree.Height, 0, first, first + count, proof, ref written);
        return written;
    }

    /// <summary>
    /// Whether <paramref name="data"/> is what a content of <paramref name="lengthBytes"/> with the hash
    /// <paramref name="root"/> has from group <paramref name="first"/> on. Whole groups only; the last group
    /// of the content is as long as it is. False for anything that does not fit together.
    /// </summary>
    public static bool Verify(Blake3Hash root, long lengthBytes, int first, ReadOnlySpan<byte> data, ReadOnlySpan<Blake3Hash> proof) =>
        Verify(HashKernel.Best, root, lengthBytes, first, data, proof);

    internal static bool Verify(HashKernel kernel, Blake3Hash root, long lengthBytes, int first, ReadOnlySpan<byte> data, ReadOnlySpan<Blake3Hash> proof)
    {
        long start = (long)first * Blake3.GroupBytes;
        if (first < 0 || data.IsEmpty || lengthBytes < 0 || start > lengthBytes - data.Length)
        {
            return false;
        }
        long end = start + data.Length;
        if (end != lengthBytes && end % Blake3.GroupBytes != 0)
        {
            return false;
        }
        if (data.Length == lengthBytes)
        {
            return proof.IsEmpty && Blake3.Hash(kernel, data) == root;
        }
        fixed (byte* bytes = data)
        fixed (Blake3Hash* values = proof)
        {
            var walk = new ProofWalk(kernel, bytes, start, end, values, proof.Length);
            Blake3Hash found;
            return walk.Value(0, lengthBytes, BlockFlags.Root, &found) && walk.IsUsedUp && found == root;
        }
    }

    private static void Collect(GroupTree tree, int level, int index, int first, int end, Span<Blake3Hash> proof, ref int written)
    {
        long nodeFirst = (long)index << level;
        long nodeEnd = Math.Min((index + 1L) << level, tree.GroupCount);
        if (nodeFirst >= first && nodeEnd <= end)
        {
            return;
        }
        if (nodeEnd <= first || nodeFirst >= end)
        {
            proof[written++] = tree.Node(level, index);
            return;
        }
        Collect(tree, level - 1, 2 * index, first, end, proof, ref written);
        if ((2L * index + 1) << (level - 1) < tree.GroupCount)
        {
            Collect(tree, level - 1, 2 * index + 1, first, end, proof, ref written);
        }
    }
}
