// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Hash.Kernels;

/// <summary>
/// The domain flags of a run of blocks (BLAKE3 paper, table 3): of the first block, of every other one,
/// and what the last block has besides.
/// </summary>
internal readonly record struct BlockFlags(uint First, uint Every, uint Last)
{
    public const uint ChunkStart = 1 << 0;
    public const uint ChunkEnd = 1 << 1;
    public const uint Parent = 1 << 2;
    public const uint Root = 1 << 3;

    /// <summary>A whole chunk inside a tree.</summary>
    public static BlockFlags Chunk => new(ChunkStart, 0, ChunkEnd);

    /// <summary>A chunk whose last block's flags each lane has for itself.</summary>
    public static BlockFlags OpenChunk => new(ChunkStart, 0, 0);

    /// <summary>A parent node inside a tree; it is one block.</summary>
    public static BlockFlags ParentNode => new(Parent, Parent, 0);
}
