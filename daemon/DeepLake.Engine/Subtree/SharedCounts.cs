// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Engine.Subtree;

/// <summary>
/// How often the files of a subtree refer to blocks that are shared: a counter a block, where there are any, in a
/// window of the device, so that memory is bounded; what is outside the window is for another pass.
/// </summary>
internal sealed class SharedCounts(ulong windowBlocks)
{
    /// <summary>64 GiB of the device: at most 32 MiB of counters.</summary>
    public const ulong WindowBlocksMost = 16ul << 20;

    private const ulong ChunkBlocks = LakeFormat.BitmapChunkBlocks;

    private readonly Dictionary<ulong, ushort[]> _chunks = [];
    private readonly SortedSet<ulong> _later = [];
    private ulong _window;

    /// <summary>Goes to the next window in which something was met; false when there is none.</summary>
    public bool NextWindow()
    {
        _chunks.Clear();
        if (_later.Count == 0)
        {
            return false;
        }

        _window = _later.Min;
        _later.Remove(_window);
        return true;
    }

    /// <summary>One more reference to each block of a run.</summary>
    /// <param name="block">The first.</param>
    /// <param name="blocks">How many.</param>
    /// <param name="refs">References to each of them in all of the lake.</param>
    /// <param name="met">Those of them that were not met before.</param>
    /// <param name="exclusive">Those of which all references have been met now.</param>
    public void Add(ulong block, ulong blocks, uint refs, out ulong met, out ulong exclusive)
    {
        (met, exclusive) = (0, 0);
        while (blocks > 0)
        {
            ulong inChunk = block % ChunkBlocks;
            ulong count = Math.Min(blocks, ChunkBlocks - inChunk);
            ulong window = block / windowBlocks;
            if (window == _window)
            {
                Count(ChunkOf(block).AsSpan((int)inChunk, (int)count), refs, ref met, ref exclusive);
            }
            else if (window > _window)
            {
                _later.Add(window);
            }

            block += count;
            blocks -= count;
        }
    }

    private static void Count(Span<ushort> counters, uint refs, ref ulong met, ref ulong exclusive)
    {
        foreach (ref ushort counter in counters)
        {
            met += counter == 0 ? 1ul : 0ul;
            if (counter < ushort.MaxValue) // beyond that a block counts as shared with others
            {
                counter++;
                exclusive += counter == refs ? 1ul : 0ul;
            }
        }
    }

    private ushort[] ChunkOf(ulong block)
    {
        if (!_chunks.TryGetValue(block / ChunkBlocks, out ushort[]? chunk))
        {
            chunk = new ushort[ChunkBlocks];
            _chunks.Add(block / ChunkBlocks, chunk);
        }

        return chunk;
    }
}
