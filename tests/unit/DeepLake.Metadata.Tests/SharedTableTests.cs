// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata.Tables;
using DeepLake.Metadata.Tree;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Metadata.Tests;

[TestFixture]
public sealed class SharedTableTests
{
    private const int Blocks = 400;

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    public void Counts_AgreeWithAnArray_AndRunsAreAsLongAsTheyCanBe(int seed)
    {
        var random = new Random(seed);
        using MemoryPageStore store = MemoryPageStore.Open(new MemoryPageMedium(1 << 20), null);
        using BTree tree = BTree.CreateEmpty(store, 256);
        var table = new SharedTable(tree);
        uint[] model = Enumerable.Repeat(1u, Blocks).ToArray();
        ulong shared = 0;
        ulong saved = 0;
        for (int step = 0; step < 5000; step++)
        {
            int start = random.Next(Blocks);
            int count = Math.Min(random.Next(1, 50), Blocks - start);
            if (random.Next(2) == 0)
            {
                table.Add((ulong)start, (ulong)count, ref shared, ref saved);
                for (int i = start; i < start + count; i++)
                {
                    model[i]++;
                }
            }
            else
            {
                Drop(table, model, start, count, ref shared, ref saved);
            }

            if (step % 100 == 0)
            {
                AssertSame(tree, table, model);
                Assert.That(shared, Is.EqualTo((ulong)model.Count(r => r > 1)));
                Assert.That(saved, Is.EqualTo((ulong)model.Sum(r => r - 1)));
            }
        }
    }

    [Test]
    public void AMalformedCount_IsCorruption()
    {
        using MemoryPageStore store = MemoryPageStore.Open(new MemoryPageMedium(1 << 20), null);
        using BTree tree = BTree.CreateEmpty(store, 256);
        var table = new SharedTable(tree);
        tree.Put(new TreeKey(ObjectIds.Shared, (uint)ItemType.Shared, 5), new byte[8]);
        Assert.That(() => table.NextPiece(5, 1, out _), Throws.InstanceOf<MetadataCorruptException>());
    }

    /// <summary>A block without another owner is left alone: it is the caller's to free.</summary>
    private static void Drop(SharedTable table, uint[] model, int start, int count, ref ulong shared, ref ulong saved)
    {
        int end = start + count;
        while (start < end)
        {
            int piece = (int)table.DropPiece((ulong)start, (ulong)(end - start), out uint left, ref shared, ref saved);
            Assert.That(piece, Is.GreaterThan(0));
            for (int i = start; i < start + piece; i++)
            {
                Assert.That(left, Is.EqualTo(model[i] - 1));
                model[i] = Math.Max(left, 1);
            }

            start += piece;
        }
    }

    private static void AssertSame(BTree tree, SharedTable table, uint[] model)
    {
        uint[] actual = new uint[Blocks];
        int runs = 0;
        for (ulong at = 0; at < Blocks;)
        {
            ulong piece = table.NextPiece(at, Blocks - at, out uint refs);
            Array.Fill(actual, refs, (int)at, (int)piece);
            runs += refs > 1 ? 1 : 0;
            at += piece;
        }

        Assert.That(actual, Is.EqualTo(model));
        int items = 0;
        var from = new TreeKey(ObjectIds.Shared, (uint)ItemType.Shared, 0);
        while (tree.TryGetAtOrAfter(from, out TreeKey key, out ReadOnlySpan<byte> data))
        {
            Assert.That(MemoryMarshal.Read<SharedItem>(data).Refs, Is.EqualTo(model[key.Offset]));
            from = new TreeKey(key.Object, key.Type, key.Offset + 1);
            items++;
        }

        int expected = Enumerable.Range(0, Blocks).Count(i => model[i] > 1 && (i == 0 || model[i - 1] != model[i]));
        Assert.That((items, runs), Is.EqualTo((expected, expected)));
    }
}
