// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using DeepLake.Hash.Kernels;
using DeepLake.Hash.Tree;

namespace DeepLake.Hash;

/// <summary>
/// Hashes many small inputs at once: chunks and parents of different inputs share the lanes of the
/// kernel, so that inputs of a few hundred bytes are hashed as fast as one large one. Allocates when it
/// is made and never again; not for several threads at once.
/// </summary>
public sealed unsafe class BatchHasher
{
    private const int ChunkBytes = TreeHasher.ChunkBytes;
    private const int HashBytes = HashKernel.HashBytes;
    private const int Lanes = LaneJobs.Lanes;

    // Above it, an input fills the lanes by itself.
    private const int LargeBytes = 256 << 10;
    private const int RoundInputs = 64;
    private const int RoundChunks = 1024 + LargeBytes / ChunkBytes;

    private readonly HashKernel _kernel;
    private readonly byte[] _values = GC.AllocateArray<byte>(RoundChunks * HashBytes, pinned: true);
    private readonly byte[] _padded = GC.AllocateArray<byte>(Lanes * ChunkBytes, pinned: true);
    private readonly int[] _counts = new int[RoundInputs];
    private readonly int[] _offsets = new int[RoundInputs];
    private readonly LaneQueue _whole;
    private readonly LaneQueue _tails;
    private readonly PairQueue _parents;
    private readonly PairQueue _roots;

    public BatchHasher()
        : this(HashKernel.Best)
    {
    }

    internal BatchHasher(HashKernel kernel)
    {
        _kernel = kernel;
        _whole = new LaneQueue(kernel);
        _tails = new LaneQueue(kernel);
        _parents = new PairQueue(kernel, BlockFlags.ParentNode);
        _roots = new PairQueue(kernel, new BlockFlags(BlockFlags.Parent, BlockFlags.Parent, BlockFlags.Root));
    }

    /// <summary>The hash of each input; inputs are parts of <paramref name="data"/> and may overlap.</summary>
    public void Hash(ReadOnlySpan<byte> data, ReadOnlySpan<ByteRange> inputs, Span<Blake3Hash> results)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(results.Length, inputs.Length);
        foreach (ByteRange input in inputs)
        {
            _ = data.Slice(input.Start, input.Length); // throws
        }
        fixed (byte* start = data, values = _values)
        fixed (Blake3Hash* hashes = results)
        {
            int done = 0;
            while (done < inputs.Length)
            {
                done += Round(start, inputs[done..], (byte*)(hashes + done), values);
            }
        }
    }

    // As many inputs as there is room for; returns their number.
    private int Round(byte* data, ReadOnlySpan<ByteRange> inputs, byte* results, byte* values)
    {
        int taken = 0;
        for (int chunks = 0; taken < Math.Min(inputs.Length, RoundInputs) && chunks < RoundChunks - LargeBytes / ChunkBytes; taken++)
        {
            ByteRange input = inputs[taken];
            byte* result = results + HashBytes * taken;
            _counts[taken] = 0;
            _offsets[taken] = chunks;
            if (input.Length > LargeBytes)
            {
                TreeHasher.Root(_kernel, data + input.Start, (nuint)input.Length, result);
            }
            else if (input.Length <= ChunkBytes)
            {
                AddChunk(data + input.Start, input.Length, 0, BlockFlags.Root, result);
            }
            else
            {
                _counts[taken] = AddChunks(data + input.Start, input.Length, values + HashBytes * chunks);
                chunks += _counts[taken];
            }
        }
        _whole.Flush();
        _tails.Flush();
        while (Join(taken, results, values))
        {
        }
        return taken;
    }

    // Sixteen at a time by themselves, the rest with those of other inputs.
    private int AddChunks(byte* data, int bytes, byte* values)
    {
        byte** chunks = stackalloc byte*[Lanes];
        int count = 0;
        for (; bytes >= Lanes * ChunkBytes; bytes -= Lanes * ChunkBytes)
        {
            for (int i = 0; i < Lanes; i++)
            {
                chunks[i] = data + ChunkBytes * i;
            }
            _kernel.HashMany(chunks, Lanes, ChunkBytes / HashKernel.BlockBytes, (ulong)count, 1, BlockFlags.Chunk, Lanes * ChunkBytes, values + HashBytes * count);
            data += Lanes * ChunkBytes;
            count += Lanes;
        }
        while (bytes > 0)
        {
            int now = Math.Min(bytes, ChunkBytes);
            AddChunk(data, now, (ulong)count, 0, values + HashBytes * count);
            data += now;
            bytes -= now;
            count++;
        }
        return count;
    }

    private void AddChunk(byte* data, int bytes, ulong counter, uint lastFlags, byte* result)
    {
        uint flags = BlockFlags.ChunkEnd | lastFlags;
        if (bytes == ChunkBytes)
        {
            _whole.Add(data, ChunkBytes, counter, flags, result);
            return;
        }
        // Copied, as its last block is to end in zeros and other lanes make it be read to the end of a chunk.
        byte* copy = (byte*)Unsafe.AsPointer(ref _padded[_tails.Count * ChunkBytes]);
        int rest = bytes == 0 ? HashKernel.BlockBytes : -bytes & (HashKernel.BlockBytes - 1);
        Unsafe.CopyBlockUnaligned(copy, data, (uint)bytes);
        Unsafe.InitBlockUnaligned(copy + bytes, 0, (uint)rest);
        _tails.Add(copy, bytes, counter, flags, result);
    }

    // One level of all the inputs' trees; false when there was nothing to join.
    private bool Join(int inputs, byte* results, byte* values)
    {
        bool found = false;
        for (int i = 0; i < inputs; i++)
        {
            byte* first = values + HashBytes * _offsets[i];
            if (_counts[i] == 2)
            {
                _roots.Add(first, results + HashBytes * i);
            }
            for (int k = 0; _counts[i] > 2 && k < _counts[i] / 2; k++)
            {
                _parents.Add(first + 2 * HashBytes * k, first + HashBytes * k);
            }
        }
        _roots.Flush();
        _parents.Flush();
        for (int i = 0; i < inputs; i++)
        {
            int count = _counts[i];
            byte* first = values + HashBytes * _offsets[i];
            if (count > 2 && (count & 1) != 0)
            {
                Unsafe.CopyBlockUnaligned(first + HashBytes * (count / 2), first + HashBytes * (count - 1), HashBytes);
            }
            _counts[i] = count <= 2 ? 0 : (count + 1) / 2;
            found |= _counts[i] > 0;
        }
        return found;
    }
}
