// SPDX-License-Identifier: MPL-2.0
using System.Numerics;
using DeepLake.Hash.Kernels;
using DeepLake.Hash.Tree;

namespace DeepLake.Hash;

/// <summary>
/// The hash of a content that comes in pieces of any size. What is finished of the tree is a stack of
/// subtree values, one for each bit of the number of chunks so far (BLAKE3 paper, section 5.1.2); two
/// are joined only when more data follows, as the topmost parent is compressed with another flag.
/// Allocates when it is made and never again; not for several threads at once.
/// </summary>
public sealed unsafe class Blake3Hasher
{
    private const int ChunkBytes = TreeHasher.ChunkBytes;
    private const int HashBytes = HashKernel.HashBytes;

    // 2^64 bytes are 2^54 chunks; while a subtree is added there are two values more.
    private const int StackValues = 54 + 2;

    private readonly HashKernel _kernel;
    private readonly byte[] _stack = GC.AllocateArray<byte>(StackValues * HashBytes, pinned: true);
    private readonly byte[] _chunk = GC.AllocateArray<byte>(ChunkBytes, pinned: true);
    private int _stackCount;
    private int _chunkBytes;
    private ulong _chunks;

    public Blake3Hasher()
        : this(HashKernel.Best)
    {
    }

    internal Blake3Hasher(HashKernel kernel)
    {
        _kernel = kernel;
    }

    /// <summary>Begins anew.</summary>
    public void Reset()
    {
        _stackCount = 0;
        _chunkBytes = 0;
        _chunks = 0;
    }

    /// <summary>Appends bytes. Fastest with 128 KiB or more at a time, in powers of two.</summary>
    public void Append(ReadOnlySpan<byte> data)
    {
        fixed (byte* start = data)
        {
            Append(start, (ulong)data.Length, isZero: false);
        }
    }

    /// <summary>Appends zero bytes, as a hole in a file has them, without anybody having to provide them.</summary>
    public void AppendZeros(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Append(ZeroChunk.Address, (ulong)bytes, isZero: true);
    }

    /// <summary>The hash of everything appended. More may be appended afterwards.</summary>
    public Blake3Hash Finish()
    {
        byte* pair = stackalloc byte[2 * HashBytes];
        Blake3Hash result = default;
        fixed (byte* stack = _stack, chunk = _chunk)
        {
            if (_stackCount == 0)
            {
                TreeHasher.Chunk(_kernel, chunk, _chunkBytes, 0, BlockFlags.Root, (byte*)&result);
                return result;
            }
            // What is on the right so far; the values of the stack become its left siblings, the last one first.
            int left = _stackCount;
            if (_chunkBytes > 0)
            {
                TreeHasher.Chunk(_kernel, chunk, _chunkBytes, _chunks, 0, pair + HashBytes);
            }
            else
            {
                left--;
                Copy(stack + HashBytes * left, pair + HashBytes);
            }
            while (left > 0)
            {
                left--;
                Copy(stack + HashBytes * left, pair);
                TreeHasher.Parent(_kernel, pair, left == 0 ? BlockFlags.Root : 0, left == 0 ? (byte*)&result : pair + HashBytes);
            }
        }
        return result;
    }

    private void Append(byte* data, ulong bytes, bool isZero)
    {
        fixed (byte* stack = _stack, chunk = _chunk)
        {
            if (_chunkBytes > 0 || bytes <= ChunkBytes)
            {
                uint taken = FillChunk(stack, data, bytes, chunk);
                bytes -= taken;
                if (bytes == 0)
                {
                    return;
                }
                data += isZero ? 0 : taken;
                CloseChunk(stack, chunk);
            }
            while (bytes > ChunkBytes)
            {
                ulong subtree = SubtreeBytes(bytes);
                AddSubtree(stack, data, subtree, isZero);
                data += isZero ? 0 : subtree;
                bytes -= subtree;
            }
            FillChunk(stack, data, bytes, chunk);
        }
    }

    private uint FillChunk(byte* stack, byte* data, ulong bytes, byte* chunk)
    {
        if (bytes > 0)
        {
            JoinFinished(stack);
        }
        uint taken = (uint)Math.Min(bytes, (ulong)(ChunkBytes - _chunkBytes));
        Buffer.MemoryCopy(data, chunk + _chunkBytes, taken, taken);
        _chunkBytes += (int)taken;
        return taken;
    }

    // The chunk is full and is not the last one.
    private void CloseChunk(byte* stack, byte* chunk)
    {
        TreeHasher.Chunk(_kernel, chunk, ChunkBytes, _chunks, 0, stack + HashBytes * _stackCount);
        _stackCount++;
        _chunks++;
        _chunkBytes = 0;
    }

    // The largest full subtree that begins here and ends before the data does or with it.
    private ulong SubtreeBytes(ulong bytes)
    {
        int log = BitOperations.Log2(bytes / ChunkBytes);
        int aligned = _chunks == 0 ? log : BitOperations.TrailingZeroCount(_chunks);
        return (ulong)ChunkBytes << Math.Min(log, aligned);
    }

    private void AddSubtree(byte* stack, byte* data, ulong bytes, bool isZero)
    {
        nuint stride = isZero ? 0 : (nuint)ChunkBytes;
        JoinFinished(stack);
        byte* top = stack + HashBytes * _stackCount;
        if (bytes == ChunkBytes)
        {
            TreeHasher.Chunk(_kernel, data, ChunkBytes, _chunks, 0, top);
            _stackCount++;
        }
        else
        {
            // Kept as its two halves: it may be the whole tree.
            TreeHasher.Halves(_kernel, data, (nuint)bytes, stride, _chunks, top);
            _stackCount += 2;
        }
        _chunks += bytes / ChunkBytes;
    }

    // Until there is one value for each bit of the number of chunks; for when more follows.
    private void JoinFinished(byte* stack)
    {
        int wanted = BitOperations.PopCount(_chunks);
        while (_stackCount > wanted)
        {
            byte* pair = stack + HashBytes * (_stackCount - 2);
            TreeHasher.Parent(_kernel, pair, 0, pair);
            _stackCount--;
        }
    }

    private static void Copy(byte* from, byte* to) => Buffer.MemoryCopy(from, to, HashBytes, HashBytes);
}
