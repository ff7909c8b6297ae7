// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Platform;

namespace DeepLake.Metadata.Space;

/// <summary>
/// Blocks that have left their last map and may not be given out yet: until that is durable, while they are pinned, or
/// while a predecessor's intents come again. Numbers count from the beginning of the region.
/// </summary>
/// <param name="held">Has a bit for each of them.</param>
internal sealed class BlockQuarantine(BlockBitmap held)
{
    private readonly Queue<Entry> _waiting = new();
    private readonly List<BlockRange> _pinned = []; // a few
    private readonly HashSet<ulong> _leftWhileResent = [];
    private ulong _resentUntil;

    /// <summary>Those that only wait for an intent to be durable.</summary>
    public ulong Blocks { get; private set; }

    /// <param name="start">The first of them.</param>
    /// <param name="blocks">How many.</param>
    /// <param name="seq">By which they left.</param>
    /// <param name="mayReturn">They may be among what is pinned or comes again.</param>
    public void Add(ulong start, ulong blocks, ulong seq, bool mayReturn)
    {
        held.Set(start, blocks);
        if (!mayReturn)
        {
            Wait(start, blocks, seq);
            return;
        }

        while (blocks > 0)
        {
            ulong piece = NextPinned(start, blocks, out bool isPinned);
            if (!isPinned)
            {
                AddUnpinned(start, piece, seq);
            }

            start += piece;
            blocks -= piece;
        }
    }

    /// <summary>These are in a map again.</summary>
    public void Entered(ulong start, ulong blocks)
    {
        for (ulong i = 0; i < blocks && _leftWhileResent.Count > 0; i++)
        {
            _leftWhileResent.Remove(start + i);
        }
    }

    public void Pin(ulong start, ulong blocks) => _pinned.Add(new BlockRange { Start = start, Count = blocks });

    /// <param name="start">A run that was pinned.</param>
    /// <param name="blocks">All of it.</param>
    /// <param name="used">Which blocks are in maps.</param>
    /// <param name="seq">Those that are not wait for this one.</param>
    public void Unpin(ulong start, ulong blocks, BlockBitmap used, ulong seq)
    {
        _pinned.RemoveAll(p => p.Start == start);
        for (ulong at = start; at < start + blocks; at++)
        {
            if (!used[at])
            {
                Wait(at, 1, seq);
            }
        }
    }

    public void BeginResent(ulong until) => _resentUntil = until;

    public void EndResent()
    {
        foreach (ulong block in _leftWhileResent)
        {
            Wait(block, 1, _resentUntil);
        }

        _leftWhileResent.Clear();
        _resentUntil = 0;
    }

    public void Release(ulong durableSeq)
    {
        while (_waiting.TryPeek(out Entry entry) && entry.Seq <= durableSeq)
        {
            _waiting.Dequeue();
            held.Clear(entry.Start, entry.Blocks);
            Blocks -= entry.Blocks;
        }
    }

    private void AddUnpinned(ulong start, ulong blocks, ulong seq)
    {
        if (seq > _resentUntil || Planted.Is(PlantedFault.LeftPackIsNotHeldForASuccessor))
        {
            Wait(start, blocks, seq);
            return;
        }

        for (ulong i = 0; i < blocks; i++)
        {
            _leftWhileResent.Add(start + i);
        }
    }

    private void Wait(ulong start, ulong blocks, ulong seq)
    {
        Blocks += blocks;
        _waiting.Enqueue(new Entry(start, blocks, seq));
    }

    /// <summary>The piece of the range at its start that is, or is not, pinned; returns its length.</summary>
    private ulong NextPinned(ulong start, ulong blocks, out bool isPinned)
    {
        isPinned = false;
        ulong free = blocks;
        foreach (BlockRange range in _pinned)
        {
            if (start >= range.Start && start - range.Start < range.Count)
            {
                isPinned = !Planted.Is(PlantedFault.LeftPackIsNotHeld);
                return Math.Min(blocks, range.Start + range.Count - start);
            }

            free = range.Start > start ? Math.Min(free, range.Start - start) : free;
        }

        return free;
    }

    private readonly record struct Entry(ulong Start, ulong Blocks, ulong Seq);
}
