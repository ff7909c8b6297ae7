// SPDX-License-Identifier: MPL-2.0
using DeepLake.Metadata.Tree;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Metadata.Tests;

[TestFixture]
public sealed class BTreeTests
{
    [TestCase(1, 64)]
    [TestCase(2, 64)]
    [TestCase(3, 4096)]
    [TestCase(4, 100)]
    public void Tree_AgreesWithASortedMap_UnderRandomChanges(int seed, int frames)
    {
        var random = new Random(seed);
        var medium = new MemoryPageMedium(1 << 20);
        var model = new SortedDictionary<TreeKey, byte[]>();
        using MemoryPageStore store = MemoryPageStore.Open(medium, null);
        BTree tree = BTree.CreateEmpty(store, frames);
        try
        {
            for (int step = 0; step < 30000; step++)
            {
                Step(random, tree, model, step);
                if (step % 5000 == 4999)
                {
                    tree.Flush();
                    tree.Dispose();
                    tree = BTree.Open(store, frames);
                    AssertSame(tree, model);
                }
            }
        }
        finally
        {
            tree.Dispose();
        }
    }

    [Test]
    public void Tree_ShrinksToOnePage_WhenEverythingIsDeleted()
    {
        using MemoryPageStore store = MemoryPageStore.Open(new MemoryPageMedium(1 << 20), null);
        using BTree tree = BTree.CreateEmpty(store, 4096);
        var keys = new List<TreeKey>();
        for (ulong i = 0; i < 20000; i++)
        {
            keys.Add(new TreeKey(i % 100, 5, i));
            tree.Put(keys[^1], new byte[40]);
        }

        Assert.That(tree.PageCount, Is.GreaterThan(100));
        var random = new Random(7);
        foreach (TreeKey key in keys.OrderBy(_ => random.Next()))
        {
            Assert.That(tree.Delete(key), Is.True);
        }

        Assert.That(tree.PageCount, Is.EqualTo(1));
        Assert.That(tree.TryGetAtOrAfter(default, out _, out _), Is.False);
    }

    [Test]
    public void ALargeCache_KeepsWhatWaitsToBeWrittenBounded_AndEverythingAtHand()
    {
        using MemoryPageStore store = MemoryPageStore.Open(new MemoryPageMedium(1 << 20), null);
        using BTree tree = BTree.CreateEmpty(store, 16384);
        const ulong items = 24000; // three to a page
        int most = 0;
        for (ulong i = 0; i < items; i++)
        {
            tree.Reserve(new TreeKey(1, 5, i), 1280).Fill((byte)i);
            most = Math.Max(most, tree.DirtyPages);
        }

        Assert.That(tree.PageCount, Is.InRange(7000, 16000));
        Assert.That(most, Is.InRange(4096, 4096 + 32));
        for (ulong i = 0; i < items; i++)
        {
            Assert.That(tree.TryGet(new TreeKey(1, 5, i), out ReadOnlySpan<byte> data) && data[7] == (byte)i, Is.True);
        }

        tree.Flush();
        Assert.That(tree.DirtyPages, Is.Zero);
        using BTree again = BTree.Open(store, 64);
        for (ulong i = 0; i < items; i++)
        {
            Assert.That(again.TryGet(new TreeKey(1, 5, i), out ReadOnlySpan<byte> data) && data[7] == (byte)i, Is.True);
        }
    }

    [Test]
    public void Tree_FillsPages_WhenInsertedInOrder()
    {
        using MemoryPageStore store = MemoryPageStore.Open(new MemoryPageMedium(1 << 20), null);
        using BTree tree = BTree.CreateEmpty(store, 4096);
        for (ulong i = 0; i < 10000; i++)
        {
            tree.Put(new TreeKey(1, 5, i), new byte[16]);
        }

        Assert.That(tree.PageCount, Is.LessThan(10000 * 40 / 4064 * 1.1));
    }

    private static void Step(Random random, BTree tree, SortedDictionary<TreeKey, byte[]> model, int step)
    {
        bool shrinking = step / 7000 % 2 == 1;
        var key = new TreeKey((ulong)random.Next(40), (uint)random.Next(1, 6), (ulong)random.Next(400));
        if (random.Next(10) < (shrinking ? 7 : 3))
        {
            Assert.That(tree.Delete(key), Is.EqualTo(model.Remove(key)), $"delete {key} at {step}");
            return;
        }

        if (random.Next(6) == 0)
        {
            Rekey(tree, model, key, key with { Offset = key.Offset + (ulong)random.Next(3) });
            return;
        }

        int bytes = random.Next(8) switch { 0 => random.Next(1281), 1 => 0, 2 => 1048, _ => random.Next(200) };
        byte[] data = new byte[bytes];
        random.NextBytes(data);
        tree.Put(key, data);
        model[key] = data;
        Assert.That(tree.TryGet(key, out ReadOnlySpan<byte> back) && back.SequenceEqual(data), Is.True);
        if (step % 50 == 0)
        {
            AssertNeighbours(tree, model, key);
        }
    }

    private static void Rekey(BTree tree, SortedDictionary<TreeKey, byte[]> model, TreeKey key, TreeKey newKey)
    {
        bool exists = model.TryGetValue(key, out byte[]? data);
        if (!tree.TryRekey(key, newKey))
        {
            return;
        }

        Assert.That(exists, Is.True, $"{key} became {newKey} and was not there");
        Assert.That(model.Keys.Any(k => k > key && k <= newKey), Is.EqualTo(false), $"{key} went past another to {newKey}");
        model.Remove(key);
        model.Add(newKey, data!);
        Assert.That(tree.Contains(key), Is.EqualTo(key == newKey));
        Assert.That(tree.TryGet(newKey, out ReadOnlySpan<byte> back) && back.SequenceEqual(data), Is.True);
    }

    private static void AssertNeighbours(BTree tree, SortedDictionary<TreeKey, byte[]> model, TreeKey key)
    {
        var probe = new TreeKey(key.Object, key.Type, key.Offset ^ 1);
        TreeKey? after = model.Keys.Where(k => k >= probe).Cast<TreeKey?>().FirstOrDefault();
        TreeKey? before = model.Keys.Where(k => k <= probe).Cast<TreeKey?>().LastOrDefault();
        Assert.That(tree.TryGetAtOrAfter(probe, out TreeKey found, out _) ? found : (TreeKey?)null, Is.EqualTo(after));
        Assert.That(tree.TryGetAtOrBefore(probe, out found, out _) ? found : (TreeKey?)null, Is.EqualTo(before));
    }

    private static void AssertSame(BTree tree, SortedDictionary<TreeKey, byte[]> model)
    {
        TreeKey from = default;
        int count = 0;
        while (tree.TryGetAtOrAfter(from, out TreeKey key, out ReadOnlySpan<byte> data))
        {
            Assert.That(model.TryGetValue(key, out byte[]? expected) && data.SequenceEqual(expected), Is.True, $"{key}");
            count++;
            from = new TreeKey(key.Object, key.Type, key.Offset + 1);
        }

        Assert.That(count, Is.EqualTo(model.Count));
    }
}
