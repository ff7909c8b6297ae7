// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata.Tree;
using DeepLake.Platform;

namespace DeepLake.Metadata.Tables;

/// <summary>
/// How many extents refer to a data block, where that is more than one: disjoint runs by device block,
/// neighbours with the same count joined. A block in use that is in no run has one reference.
/// </summary>
public sealed class SharedTable(BTree tree)
{
    private const int ItemBytes = 8;

    /// <summary>
    /// The piece of [block, +blocks) that begins at block and has one count of references: its length;
    /// <paramref name="refs"/> is 1 where nothing is shared.
    /// </summary>
    public ulong NextPiece(ulong block, ulong blocks, out uint refs)
    {
        refs = 1;
        if (!TryGetAt(block, out Run run) || run.Start >= block + blocks)
        {
            return blocks;
        }

        if (run.Start > block)
        {
            return run.Start - block;
        }

        refs = run.Refs;
        return Math.Min(blocks, run.End - block);
    }

    /// <summary>One more reference to each block of the range; counts what that makes shared.</summary>
    public void Add(ulong block, ulong blocks, ref ulong sharedBlocks, ref ulong savedBlocks)
    {
        savedBlocks += blocks;
        while (blocks > 0)
        {
            ulong piece = NextPiece(block, blocks, out uint refs);
            if (refs == uint.MaxValue)
            {
                throw new MetadataCorruptException($"block {block} has too many references");
            }

            sharedBlocks += refs == 1 ? piece : 0;
            Change(block, piece, refs, refs + (Planted.Is(PlantedFault.ThirdReferenceNotCounted) && refs == 2 ? 0u : 1u));
            block += piece;
            blocks -= piece;
        }
    }

    /// <summary>
    /// One reference less to the first piece of the range; returns its length. <paramref name="left"/>
    /// is how many references it has now: with 0 nothing was changed here, the block is free.
    /// </summary>
    public ulong DropPiece(ulong block, ulong blocks, out uint left, ref ulong sharedBlocks, ref ulong savedBlocks)
    {
        ulong piece = NextPiece(block, blocks, out uint refs);
        left = Planted.Is(PlantedFault.LastButOneReferenceFrees) && refs == 2 ? 0 : refs - 1;
        if (refs > 1)
        {
            savedBlocks -= piece;
            sharedBlocks -= left == 1 ? piece : 0;
            Change(block, piece, refs, left);
        }

        return piece;
    }

    private static TreeKey KeyOf(ulong block) => new(ObjectIds.Shared, (uint)ItemType.Shared, block);

    private static bool TryParse(TreeKey key, ReadOnlySpan<byte> data, out Run run)
    {
        run = default;
        if (!Keys.Is(key, ObjectIds.Shared, ItemType.Shared))
        {
            return false;
        }

        SharedItem item = data.Length == ItemBytes ? MemoryMarshal.Read<SharedItem>(data) : default;
        if (item.Blocks is 0 or > int.MaxValue || item.Refs < 2)
        {
            throw new MetadataCorruptException($"the reference count at block {key.Offset} is malformed");
        }

        run = new Run(key.Offset, item.Blocks, item.Refs);
        return true;
    }

    /// <summary>The first run that ends after block.</summary>
    private bool TryGetAt(ulong block, out Run run)
    {
        if (tree.TryGetAtOrBefore(KeyOf(block), out TreeKey key, out ReadOnlySpan<byte> data)
            && TryParse(key, data, out run) && run.End > block)
        {
            return true;
        }

        run = default;
        return tree.TryGetAtOrAfter(KeyOf(block), out key, out data) && TryParse(key, data, out run);
    }

    /// <summary>[block, +blocks) has one count all over: gives it another one.</summary>
    private void Change(ulong block, ulong blocks, uint from, uint to)
    {
        ulong start = block;
        ulong end = block + blocks;
        if (from > 1 && TryGetAt(block, out Run old))
        {
            tree.DeleteFound(KeyOf(old.Start));
            Put(old.Start, block, from);
            Put(end, old.End, from);
        }

        if (to < 2)
        {
            return;
        }

        if (start > 0 && TryGetAt(start - 1, out Run before) && before.End == start && Joins(before, to, end - start))
        {
            tree.DeleteFound(KeyOf(before.Start));
            start = before.Start;
        }

        if (TryGetAt(end, out Run after) && after.Start == end && Joins(after, to, end - start))
        {
            tree.DeleteFound(KeyOf(after.Start));
            end = after.End;
        }

        Put(start, end, to);
    }

    private static bool Joins(in Run run, uint refs, ulong blocks) => run.Refs == refs && run.Blocks + blocks <= int.MaxValue;

    private void Put(ulong start, ulong end, uint refs)
    {
        if (start < end)
        {
            MemoryMarshal.Write(
                tree.Reserve(KeyOf(start), ItemBytes), new SharedItem { Blocks = (uint)(end - start), Refs = refs });
        }
    }

    private readonly record struct Run(ulong Start, ulong Blocks, uint Refs)
    {
        public ulong End => Start + Blocks;
    }
}
