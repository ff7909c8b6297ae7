// SPDX-License-Identifier: MPL-2.0
using System.Numerics;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata.Tables;
using DeepLake.Metadata.Tree;
using DeepLake.Platform;

namespace DeepLake.Metadata.Space;

/// <summary>
/// Which data blocks are in use. <em>Used</em> bits are durable state: they change only by applying
/// intents and are stored in the tree at a checkpoint. <em>Held</em> bits are memory only: blocks
/// leased to the kernel, and freed ones in quarantine until the freeing is durable. Block numbers are
/// absolute on the device.
/// </summary>
public sealed class SpaceMap : IDisposable
{
    private const int ChunksReadAhead = 512;

    private readonly BTree _tree;
    private readonly Region _region;
    private readonly BlockBitmap _used;
    private readonly BlockBitmap _held;
    private readonly bool[] _dirtyChunks;
    private readonly BlockQuarantine _quarantine;
    private readonly LatelyShared _latelyShared;
    private ulong _cursor;
    private ulong _runCursor;

    private SpaceMap(BTree tree, Region region)
    {
        _tree = tree;
        _region = region;
        _used = new BlockBitmap(region.Blocks);
        _held = new BlockBitmap(region.Blocks);
        _quarantine = new BlockQuarantine(_held);
        _latelyShared = new LatelyShared(region.Blocks);
        _runCursor = region.Blocks - (region.Blocks / 8);
        _dirtyChunks = new bool[(region.Blocks + LakeFormat.BitmapChunkBlocks - 1) / LakeFormat.BitmapChunkBlocks];
    }

    public ulong TotalBlocks => _region.Blocks;

    public ulong UsedBlocks => _used.SetCount;

    /// <summary>Blocks neither used, leased nor in quarantine.</summary>
    public ulong FreeBlocks => _region.Blocks - _used.SetCount - _held.SetCount;

    public ulong QuarantinedBlocks => _quarantine.Blocks;

    /// <summary>Held, and not by the quarantine: what the kernel may write to next.</summary>
    public ulong LeasedBlocks => _held.SetCount - Math.Min(_held.SetCount, QuarantinedBlocks);

    /// <summary>Pieces of the map that the next <see cref="Store"/> puts into the tree.</summary>
    public int DirtyChunks { get; private set; }

    public static SpaceMap CreateEmpty(BTree tree, Region region) => new(tree, region);

    public static SpaceMap Load(BTree tree, Region region)
    {
        var map = new SpaceMap(tree, region);
        ulong chunk = 0;
        ulong ahead = 0;
        while (ReadAhead(tree, chunk, ref ahead) && tree.TryGetAtOrAfter(Keys.Bitmap(chunk), out TreeKey key, out ReadOnlySpan<byte> data)
            && Keys.Is(key, ObjectIds.Bitmap, ItemType.Bitmap))
        {
            ulong firstBlock = key.Offset * LakeFormat.BitmapChunkBlocks;
            if (data.Length != LakeFormat.BitmapChunkBlocks / 8 || firstBlock >= region.Blocks)
            {
                throw new MetadataCorruptException($"free-space chunk {key.Offset} is malformed");
            }

            ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(data);
            if (EndsBeyond(words, region.Blocks - firstBlock))
            {
                throw new MetadataCorruptException("free-space bits beyond the end of the data region");
            }

            map._used.Load(firstBlock, words);
            chunk = key.Offset + 1;
        }

        return map;
    }

    private static bool EndsBeyond(ReadOnlySpan<ulong> words, ulong bits)
    {
        for (int i = (int)Math.Min(bits / 64, (ulong)words.Length); i < words.Length; i++)
        {
            if (words[i] >> (bits / 64 == (ulong)i ? (int)(bits & 63) : 0) != 0)
            {
                return true;
            }
        }

        return false;
    }

    // Many leaves hold nothing but this, one after the other.
    private static bool ReadAhead(BTree tree, ulong chunk, ref ulong ahead)
    {
        if (chunk >= ahead && tree.ReadsAhead)
        {
            var keys = new TreeKey[ChunksReadAhead];
            for (int i = 0; i < keys.Length; i++)
            {
                keys[i] = Keys.Bitmap(chunk + (ulong)i);
            }

            tree.ReadAhead(keys);
            ahead = chunk + ChunksReadAhead;
        }

        return true;
    }

    public void Dispose()
    {
        _used.Dispose();
        _held.Dispose();
        _latelyShared.Dispose();
    }

    public bool Contains(ulong block, ulong blocks) =>
        block >= _region.StartBlock && blocks <= _region.Blocks && block - _region.StartBlock <= _region.Blocks - blocks;

    public bool IsUsed(ulong block) => _used[block - _region.StartBlock];

    /// <summary>How many blocks of the range are in use.</summary>
    public ulong CountUsed(ulong block, ulong blocks) => _used.CountSet(block - _region.StartBlock, blocks);

    /// <summary>
    /// Blocks enter a map: used from now on, no longer held. False unless exactly
    /// <paramref name="alreadyUsed"/> of them were in use (those the map had before).
    /// </summary>
    public bool MarkUsed(ulong block, ulong blocks, ulong alreadyUsed = 0)
    {
        ulong start = block - _region.StartBlock;
        if (_used.CountSet(start, blocks) != alreadyUsed)
        {
            return false;
        }

        _used.Set(start, blocks);
        _held.Clear(start, blocks);
        MarkDirty(start, blocks);
        _quarantine.Entered(start, blocks);
        return true;
    }

    /// <summary>
    /// Blocks leave a map by the intent <paramref name="seq"/>: free in the durable state, but held
    /// until <see cref="ReleaseQuarantine"/> hears that the intent is durable. False if any was free.
    /// </summary>
    /// <param name="block">The first of them.</param>
    /// <param name="blocks">How many.</param>
    /// <param name="seq">The intent.</param>
    /// <param name="isOfFile">They were, and so may be in a map again before that is durable; else the archive's.</param>
    public bool MarkFreed(ulong block, ulong blocks, ulong seq, bool isOfFile = true)
    {
        ulong start = block - _region.StartBlock;
        if (_used.Clear(start, blocks) != blocks)
        {
            return false;
        }

        if (!Planted.Is(PlantedFault.FreedBlocksNotHeld))
        {
            _quarantine.Add(start, blocks, seq, isOfFile);
        }

        if (!Planted.Is(PlantedFault.FreedBitsNotStored))
        {
            MarkDirty(start, blocks);
        }

        return true;
    }

    /// <summary>
    /// Held blocks stay held when they leave a map while they are pinned: more maps are going to refer to them. Whole
    /// runs are pinned and unpinned.
    /// </summary>
    public void Pin(ulong block, ulong blocks) => _quarantine.Pin(block - _region.StartBlock, blocks);

    /// <summary>
    /// What is in no map now goes into quarantine, as if it had left one by the intent <paramref name="seq"/>.
    /// </summary>
    public void Unpin(ulong block, ulong blocks, ulong seq) => _quarantine.Unpin(block - _region.StartBlock, blocks, _used, seq);

    /// <summary>
    /// Intents up to <paramref name="until"/> are a predecessor's: what leaves a map by one of them stays held until
    /// <see cref="EndResent"/>, as another one of them may put it into a map again. A pack that the predecessor had
    /// pinned is such a run.
    /// </summary>
    public void BeginResent(ulong until) => _quarantine.BeginResent(until);

    /// <summary>They are all applied: what is in no map now is free when they are durable.</summary>
    public void EndResent() => _quarantine.EndResent();

    public void ReleaseQuarantine(ulong durableSeq)
    {
        _latelyShared.Release(durableSeq);
        _quarantine.Release(durableSeq);
    }

    /// <summary>All references but one are gone by the intent <paramref name="seq"/>.</summary>
    public void MarkUnshared(ulong block, ulong blocks, ulong seq) =>
        _latelyShared.Add(block - _region.StartBlock, blocks, seq);

    /// <summary>
    /// The piece of the range at its start that was, or was not, shared until an intent that is not
    /// durable yet; returns its length.
    /// </summary>
    public ulong NextLatelyShared(ulong block, ulong blocks, out bool lately) =>
        _latelyShared.NextPiece(block - _region.StartBlock, blocks, out lately);

    /// <summary>A predecessor leased these: held where they are not in use.</summary>
    public void HoldLeased(ulong block, ulong blocks)
    {
        for (ulong i = block - _region.StartBlock; blocks > 0; i++, blocks--)
        {
            if (!_used[i])
            {
                _held.Set(i, 1);
            }
        }
    }

    /// <summary>Leased blocks come back unused.</summary>
    public void Unlease(ulong block, ulong blocks) => _held.Clear(block - _region.StartBlock, blocks);

    /// <summary>
    /// Leases up to <paramref name="want"/> blocks as few runs as possible, starting at
    /// <paramref name="goal"/> if given. Returns how many ranges were written.
    /// </summary>
    public int Lease(ulong want, ulong goal, Span<BlockRange> ranges)
    {
        ulong from = Contains(goal, 1) ? goal - _region.StartBlock : _cursor;
        int count = 0;
        ulong left = want;
        ulong longest = 0;
        ulong minimum = want;
        while (left > 0 && count < ranges.Length && FreeBlocks > 0)
        {
            if (!TryFindRun(from, Math.Min(minimum, left), left, out ulong start, out ulong run, ref longest))
            {
                if (longest == 0)
                {
                    break;
                }

                minimum = Math.Max(1, Math.Min(longest, left));
                longest = 0;
                from = 0;
                continue;
            }

            _held.Set(start, run);
            ranges[count++] = new BlockRange { Start = start + _region.StartBlock, Count = run };
            left -= run;
            from = start + run;
            _cursor = from;
        }

        return count;
    }

    /// <summary>
    /// Leases the free runs of [<paramref name="from"/>, <paramref name="to"/>) that have
    /// <paramref name="minimum"/> blocks at least, in order. Returns how many ranges were written.
    /// </summary>
    public int LeaseFree(ulong from, ulong to, ulong minimum, ulong maximum, Span<BlockRange> ranges)
    {
        ulong at = Math.Max(from, _region.StartBlock) - _region.StartBlock;
        ulong end = to <= _region.StartBlock ? 0 : Math.Min(to - _region.StartBlock, _region.Blocks);
        int count = 0;
        ulong left = maximum;
        while (count < ranges.Length && left >= minimum && NextFree(at, end, out ulong start))
        {
            ulong run = RunLength(start, Math.Min(left, end - start));
            at = start + run;
            if (run < minimum)
            {
                continue;
            }

            if (!Planted.Is(PlantedFault.TrimmedBlocksNotHeld))
            {
                _held.Set(start, run);
            }

            ranges[count++] = new BlockRange { Start = start + _region.StartBlock, Count = run };
            left -= run;
        }

        return count;
    }

    /// <summary>
    /// Leases one free run of exactly <paramref name="blocks"/> for the daemon itself, looking from the end
    /// of the last one: away from where files grow. False when there is none that long.
    /// </summary>
    public bool TryLeaseRun(ulong blocks, out ulong start)
    {
        start = 0;
        ulong longest = 0;
        if (FreeBlocks < blocks || !TryFindRun(_runCursor, blocks, blocks, out ulong found, out _, ref longest))
        {
            return false;
        }

        _held.Set(found, blocks);
        _runCursor = found + blocks;
        start = found + _region.StartBlock;
        return true;
    }

    /// <summary>Stores the used bits that changed since the last call into the tree.</summary>
    public void Store()
    {
        const int wordsPerChunk = LakeFormat.BitmapChunkBlocks / 64;
        Span<ulong> words = stackalloc ulong[wordsPerChunk];
        for (int chunk = 0; chunk < _dirtyChunks.Length; chunk++)
        {
            if (!_dirtyChunks[chunk])
            {
                continue;
            }

            _used.CopyTo((ulong)chunk * LakeFormat.BitmapChunkBlocks, words);
            if (words.IndexOfAnyExcept(0ul) < 0)
            {
                _tree.Delete(Keys.Bitmap((ulong)chunk));
            }
            else
            {
                _tree.Put(Keys.Bitmap((ulong)chunk), MemoryMarshal.AsBytes(words));
            }

            _dirtyChunks[chunk] = false;
        }

        DirtyChunks = 0;
    }

    /// <summary>
    /// The first free run of at least <paramref name="minimum"/> blocks at or after
    /// <paramref name="from"/>, then from the beginning; cut to <paramref name="maximum"/>.
    /// <paramref name="longest"/> learns the longest run seen.
    /// </summary>
    private bool TryFindRun(
        ulong from, ulong minimum, ulong maximum, out ulong start, out ulong run, ref ulong longest)
    {
        for (int pass = 0; pass < 2; pass++)
        {
            ulong position = pass == 0 ? Math.Min(from, _region.Blocks) : 0;
            ulong end = pass == 0 ? _region.Blocks : Math.Min(_region.Blocks, from + maximum);
            while (NextFree(position, end, out start))
            {
                run = RunLength(start, maximum);
                longest = Math.Max(longest, run);
                if (run >= minimum)
                {
                    return true;
                }

                position = start + run;
            }
        }

        start = 0;
        run = 0;
        return false;
    }

    private bool NextFree(ulong from, ulong end, out ulong found)
    {
        while (from < end)
        {
            ulong word = ~(_used.Word(from) | _held.Word(from)) >> (int)(from & 63);
            if (word != 0)
            {
                found = from + (ulong)BitOperations.TrailingZeroCount(word);
                return found < end;
            }

            from = _used.SkipFull((from | 63) + 1);
        }

        found = 0;
        return false;
    }

    private ulong RunLength(ulong start, ulong maximum)
    {
        ulong end = Math.Min(_region.Blocks, start + maximum);
        ulong at = start;
        while (at < end)
        {
            ulong word = (_used.Word(at) | _held.Word(at)) >> (int)(at & 63);
            if (word != 0)
            {
                at += (ulong)BitOperations.TrailingZeroCount(word);
                break;
            }

            at = (at | 63) + 1;
        }

        return Math.Min(at, end) - start;
    }

    private void MarkDirty(ulong start, ulong blocks)
    {
        for (ulong chunk = start / LakeFormat.BitmapChunkBlocks;
            chunk <= (start + blocks - 1) / LakeFormat.BitmapChunkBlocks; chunk++)
        {
            DirtyChunks += _dirtyChunks[chunk] ? 0 : 1;
            _dirtyChunks[chunk] = true;
        }
    }
}
