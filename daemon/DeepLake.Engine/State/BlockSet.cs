// SPDX-License-Identifier: MPL-2.0
using System.Collections;
using System.Numerics;
using DeepLake.Abi;

namespace DeepLake.Engine.State;

/// <summary>Blocks of the device: a bit each, where there are any. Enumerated in their order.</summary>
internal sealed class BlockSet : IEnumerable<ulong>
{
    private const ulong ChunkBlocks = LakeFormat.BitmapChunkBlocks;

    private readonly SortedDictionary<ulong, ulong[]> _chunks = [];

    public ulong Count { get; private set; }

    public void Clear()
    {
        _chunks.Clear();
        Count = 0;
    }

    /// <summary>Whether it was new.</summary>
    public bool Add(ulong block)
    {
        if (!_chunks.TryGetValue(block / ChunkBlocks, out ulong[]? chunk))
        {
            chunk = new ulong[ChunkBlocks / 64];
            _chunks.Add(block / ChunkBlocks, chunk);
        }

        ref ulong word = ref chunk[block % ChunkBlocks / 64];
        ulong bit = 1ul << (int)(block % 64);
        bool isNew = (word & bit) == 0;
        word |= bit;
        Count += isNew ? 1ul : 0ul;
        return isNew;
    }

    public bool Contains(ulong block) =>
        _chunks.TryGetValue(block / ChunkBlocks, out ulong[]? chunk)
        && (chunk[block % ChunkBlocks / 64] & (1ul << (int)(block % 64))) != 0;

    public IEnumerator<ulong> GetEnumerator()
    {
        foreach ((ulong index, ulong[] chunk) in _chunks)
        {
            for (int i = 0; i < chunk.Length; i++)
            {
                for (ulong left = chunk[i]; left != 0; left &= left - 1)
                {
                    yield return (index * ChunkBlocks) + ((ulong)i * 64) + (ulong)BitOperations.TrailingZeroCount(left);
                }
            }
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
