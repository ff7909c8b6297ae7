// SPDX-License-Identifier: MPL-2.0
using DeepLake.Hash.Kernels;
using DeepLake.Hash.Tree;

namespace DeepLake.Hash;

/// <summary>
/// BLAKE3 in its key-less mode with 32 bytes of output (O'Connor, Aumasson, Neves, Wilcox-O'Hearn:
/// "BLAKE3: one function, fast everywhere", 2020), what <c>b3sum</c> prints. Nothing here allocates.
/// </summary>
public static unsafe class Blake3
{
    public const int HashBytes = Blake3Hash.SizeBytes;

    /// <summary>A leaf of the tree.</summary>
    public const int ChunkBytes = TreeHasher.ChunkBytes;

    /// <summary>A group: the part of a file whose value is kept (64 chunks). The last group of a file may be shorter.</summary>
    public const int GroupBytes = 64 * ChunkBytes;

    /// <summary>Which instructions are used here: avx512, avx2 or scalar.</summary>
    public static string Backend => HashKernel.Best.Name;

    /// <summary>The hash of a whole content.</summary>
    public static Blake3Hash Hash(ReadOnlySpan<byte> data) => Hash(HashKernel.Best, data);

    /// <summary>
    /// The chaining value of group <paramref name="index"/> of a content of more than one group; 1 to
    /// <see cref="GroupBytes"/> bytes. It is a node of the content's tree, not the hash of these bytes.
    /// </summary>
    public static Blake3Hash GroupValue(ReadOnlySpan<byte> group, long index) => GroupValue(HashKernel.Best, group, index);

    internal static Blake3Hash Hash(HashKernel kernel, ReadOnlySpan<byte> data)
    {
        Blake3Hash result;
        fixed (byte* start = data)
        {
            TreeHasher.Root(kernel, start, (nuint)data.Length, (byte*)&result);
        }
        return result;
    }

    internal static Blake3Hash GroupValue(HashKernel kernel, ReadOnlySpan<byte> group, long index)
    {
        ArgumentOutOfRangeException.ThrowIfZero(group.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(group.Length, GroupBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        Blake3Hash result;
        fixed (byte* start = group)
        {
            ulong counter = (ulong)index * (GroupBytes / ChunkBytes);
            TreeHasher.Value(kernel, start, (nuint)group.Length, ChunkBytes, counter, (byte*)&result);
        }
        return result;
    }
}
