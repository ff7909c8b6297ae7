// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;

namespace DeepLake.Check;

/// <summary>
/// Proves the reference counts of shared blocks: counts every reference beyond the first as the maps are
/// walked, then takes off what the items say. Both must come out even, block by block.
/// </summary>
internal sealed class SharedChecker(Region data, Findings findings)
{
    private const int ChunkBlocks = LakeFormat.BitmapChunkBlocks;

    /// <summary>References beyond the first of each block; chunks without any are absent.</summary>
    private readonly uint[]?[] _extra = new uint[]?[(data.Blocks + ChunkBlocks - 1) / ChunkBlocks];
    private ulong _nextBlock;
    private ulong _lastRefs;

    public ulong SharedBlocks { get; private set; }

    public ulong SavedBlocks { get; private set; }

    /// <summary>An extent refers to a block that another one has referred to already.</summary>
    public void AddReference(ulong bit)
    {
        uint[] chunk = _extra[bit / ChunkBlocks] ??= new uint[ChunkBlocks];
        SharedBlocks += chunk[bit % ChunkBlocks]++ == 0 ? 1u : 0;
        SavedBlocks++;
    }

    public void Item(in ItemKey key, ReadOnlySpan<byte> bytes)
    {
        SharedItem item = bytes.Length == Marshal.SizeOf<SharedItem>() ? MemoryMarshal.Read<SharedItem>(bytes) : default;
        ulong block = key.Offset;
        if (key.Object != ObjectIds.Shared || item.Blocks is 0 or > int.MaxValue || item.Refs < 2 || block < data.StartBlock
            || item.Blocks > data.Blocks || block - data.StartBlock > data.Blocks - item.Blocks)
        {
            findings.Add($"the reference count at block {block} is malformed");
            return;
        }

        findings.Require(block >= _nextBlock, $"reference counts overlap at block {block}");
        findings.Require(
            block != _nextBlock || item.Refs != _lastRefs || _nextBlock == 0, $"reference counts at block {block} are not joined");
        _nextBlock = block + item.Blocks;
        _lastRefs = item.Refs;
        for (ulong bit = block - data.StartBlock; bit < _nextBlock - data.StartBlock; bit++)
        {
            uint[]? chunk = _extra[bit / ChunkBlocks];
            uint extra = chunk?[bit % ChunkBlocks] ?? 0;
            findings.Require(
                extra == item.Refs - 1, $"block {bit + data.StartBlock} counts {item.Refs} references, has {extra + 1}");
            if (chunk is not null)
            {
                chunk[bit % ChunkBlocks] = 0;
            }
        }
    }

    /// <summary>After the walk: what several extents refer to and no item counts.</summary>
    public void Finish()
    {
        for (int i = 0; i < _extra.Length; i++)
        {
            int at = _extra[i] is { } chunk ? chunk.AsSpan().IndexOfAnyExcept(0u) : -1;
            if (at >= 0)
            {
                ulong block = data.StartBlock + ((ulong)i * ChunkBlocks) + (ulong)at;
                findings.Add($"block {block} is mapped {_extra[i]![at] + 1} times, its references are not counted");
            }
        }
    }
}
