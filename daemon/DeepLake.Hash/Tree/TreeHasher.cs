// SPDX-License-Identifier: MPL-2.0
using System.Numerics;
using System.Runtime.CompilerServices;
using DeepLake.Hash.Kernels;

namespace DeepLake.Hash.Tree;

/// <summary>
/// The hash tree of BLAKE3 (paper, sections 2.1, 2.4 and 2.5): leaves are chunks of 1 KiB, a left
/// subtree is a full one of the largest power of two of chunks that leaves something to the right.
/// Chunks and parents are compressed as many at a time as the kernel can (section 5.3).
/// </summary>
internal static unsafe class TreeHasher
{
    public const int ChunkBytes = 1024;
    private const int HashBytes = HashKernel.HashBytes;
    private const int Width = HashKernel.MaxInputs;

    // What the memory needs to be there in time; measured.
    private const int AheadBytes = Width * ChunkBytes;

    /// <summary>The root hash.</summary>
    [SkipLocalsInit]
    public static void Root(HashKernel kernel, byte* data, nuint bytes, byte* result)
    {
        if (bytes <= ChunkBytes)
        {
            Chunk(kernel, data, (int)bytes, 0, BlockFlags.Root, result);
            return;
        }
        byte* values = stackalloc byte[Width * HashBytes];
        int count = Subtree(kernel, data, bytes, ChunkBytes, 0, values);
        Reduce(kernel, values, count, 2);
        Parent(kernel, values, BlockFlags.Root, result);
    }

    /// <summary>
    /// The chaining value of a subtree: <paramref name="bytes"/> of data whose first chunk has number
    /// <paramref name="counter"/>. A <paramref name="stride"/> of 0 takes one chunk's bytes for all chunks.
    /// </summary>
    [SkipLocalsInit]
    public static void Value(HashKernel kernel, byte* data, nuint bytes, nuint stride, ulong counter, byte* result)
    {
        if (bytes <= ChunkBytes)
        {
            Chunk(kernel, data, (int)bytes, counter, 0, result);
            return;
        }
        byte* values = stackalloc byte[Width * HashBytes];
        int count = Subtree(kernel, data, bytes, stride, counter, values);
        Reduce(kernel, values, count, 1);
        Unsafe.CopyBlockUnaligned(result, values, HashBytes);
    }

    /// <summary>The two halves of a full subtree of at least two chunks; parents of the caller's are made of them.</summary>
    [SkipLocalsInit]
    public static void Halves(HashKernel kernel, byte* data, nuint bytes, nuint stride, ulong counter, byte* result)
    {
        byte* values = stackalloc byte[Width * HashBytes];
        int count = Subtree(kernel, data, bytes, stride, counter, values);
        Reduce(kernel, values, count, 2);
        Unsafe.CopyBlockUnaligned(result, values, 2 * HashBytes);
    }

    /// <summary>At most one chunk: a chain of blocks.</summary>
    [SkipLocalsInit]
    public static void Chunk(HashKernel kernel, byte* data, int bytes, ulong counter, uint lastFlags, byte* result)
    {
        uint* state = stackalloc uint[8];
        Blake3Iv.CopyTo(state);
        uint flag = BlockFlags.ChunkStart;
        while (bytes > HashKernel.BlockBytes)
        {
            kernel.Compress(state, data, HashKernel.BlockBytes, counter, flag);
            flag = 0;
            data += HashKernel.BlockBytes;
            bytes -= HashKernel.BlockBytes;
        }
        byte* last = stackalloc byte[HashKernel.BlockBytes];
        Unsafe.InitBlockUnaligned(last, 0, HashKernel.BlockBytes);
        Unsafe.CopyBlockUnaligned(last, data, (uint)bytes);
        kernel.Compress(state, last, (uint)bytes, counter, flag | BlockFlags.ChunkEnd | lastFlags);
        Unsafe.CopyBlockUnaligned(result, state, HashBytes);
    }

    /// <summary>The parent of two values that lie side by side.</summary>
    [SkipLocalsInit]
    public static void Parent(HashKernel kernel, byte* pair, uint lastFlags, byte* result)
    {
        uint* state = stackalloc uint[8];
        Blake3Iv.CopyTo(state);
        kernel.Compress(state, pair, HashKernel.BlockBytes, 0, BlockFlags.Parent | lastFlags);
        Unsafe.CopyBlockUnaligned(result, state, HashBytes);
    }

    /// <summary>
    /// One level of a tree: values to their parents, an odd one is carried up as it is. In place is
    /// allowed.
    /// </summary>
    /// <returns>How many values there are now.</returns>
    [SkipLocalsInit]
    public static int Parents(HashKernel kernel, byte* values, int count, byte* results)
    {
        byte** pairs = stackalloc byte*[Width];
        int parents = count / 2;
        for (int done = 0; done < parents;)
        {
            int now = Math.Min(Width, parents - done);
            for (int i = 0; i < now; i++)
            {
                pairs[i] = values + 2 * HashBytes * (done + i);
            }
            kernel.HashMany(pairs, now, 1, 0, 0, BlockFlags.ParentNode, 0, results + HashBytes * done);
            done += now;
        }
        if ((count & 1) != 0)
        {
            Unsafe.CopyBlockUnaligned(results + HashBytes * parents, values + 2 * HashBytes * parents, HashBytes);
            parents++;
        }
        return parents;
    }

    // 2 to 16 values for more than one chunk, so that parents too are made many at a time.
    [SkipLocalsInit]
    private static int Subtree(HashKernel kernel, byte* data, nuint bytes, nuint stride, ulong counter, byte* results)
    {
        if (bytes <= Width * ChunkBytes)
        {
            return Chunks(kernel, data, (int)bytes, stride, counter, results);
        }
        nuint left = LeftBytes(bytes);
        byte* values = stackalloc byte[2 * Width * HashBytes];
        int count = Subtree(kernel, data, left, stride, counter, values);
        byte* rest = stride == 0 ? data : data + left;
        count += Subtree(kernel, rest, bytes - left, stride, counter + left / ChunkBytes, values + HashBytes * count);
        return Parents(kernel, values, count, results);
    }

    [SkipLocalsInit]
    private static int Chunks(HashKernel kernel, byte* data, int bytes, nuint stride, ulong counter, byte* results)
    {
        byte** inputs = stackalloc byte*[Width];
        int whole = bytes / ChunkBytes;
        for (int i = 0; i < whole; i++)
        {
            inputs[i] = data + stride * (nuint)i;
        }
        if (whole > 0)
        {
            nuint ahead = stride == 0 ? 0 : (nuint)AheadBytes;
            kernel.HashMany(inputs, whole, ChunkBytes / HashKernel.BlockBytes, counter, 1, BlockFlags.Chunk, ahead, results);
        }
        int rest = bytes % ChunkBytes;
        if (rest > 0)
        {
            Chunk(kernel, data + stride * (nuint)whole, rest, counter + (uint)whole, 0, results + HashBytes * whole);
            whole++;
        }
        return whole;
    }

    private static void Reduce(HashKernel kernel, byte* values, int count, int wanted)
    {
        while (count > wanted)
        {
            count = Parents(kernel, values, count, values);
        }
    }

    private static nuint LeftBytes(nuint bytes) => (nuint)ChunkBytes << BitOperations.Log2((bytes - 1) / ChunkBytes);
}
