// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Engine.Scrub;

/// <summary>Blocks of the device that a pass has read although others map them too: a bit each, where there are any.</summary>
internal sealed class SeenBlocks
{
    private const ulong ChunkBlocks = LakeFormat.BitmapChunkBlocks;

    private readonly Dictionary<ulong, ulong[]> _chunks = [];

    public void Clear() => _chunks.Clear();

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
        return isNew;
    }
}
