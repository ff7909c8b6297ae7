// SPDX-License-Identifier: MPL-2.0
using DeepLake.Hash.Kernels;
using NUnit.Framework;

namespace DeepLake.Hash.Tests;

[TestFixture]
public sealed class GroupTreeTests
{
    private const int Group = Blake3.GroupBytes;

    public static IEnumerable<string> BackendNames => Backends.Names;

    [TestCaseSource(nameof(BackendNames))]
    public void OverwritesAndResizes_LeadToTheHashOfTheContent(string backend)
    {
        HashKernel kernel = Backends.Get(backend);
        var random = new Random(7);
        var tree = new GroupTree(kernel);
        byte[] content = [];
        for (int round = 0; round < 60; round++)
        {
            if (random.Next(2) == 0)
            {
                Array.Resize(ref content, random.Next(4) == 0 ? random.Next(2 * Group) : random.Next(40 * Group));
                tree.Resize(content.Length);
                // All that is new, and what became longer or shorter; which ones is not asked: setting more is allowed.
                for (int i = 0; i < tree.GroupCount; i++)
                {
                    tree.SetGroup(i, GroupOf(content, i));
                }
            }
            for (int change = random.Next(5); change > 0 && content.Length > 0; change--)
            {
                int at = random.Next(content.Length);
                content[at]++;
                tree.SetGroup(at / Group, GroupOf(content, at / Group));
            }
            Assert.That(tree.Root() == Blake3.Hash(content), $"round {round}, {content.Length} bytes");
        }
    }

    [Test]
    public void Resize_AsksOnlyForGroupsThatChanged()
    {
        byte[] content = Samples.Random(70 * Group, 8);
        int[] lengths =
        [
            0, 1, Group - 1, Group, Group + 1, 2 * Group, 3 * Group, 2 * Group, Group, 5 * Group + 7, 5 * Group + 8, 6 * Group,
            64 * Group, 65 * Group, 64 * Group - 1, 70 * Group, 33 * Group + 5, 33 * Group, 1, 0, 9 * Group,
        ];
        var tree = new GroupTree();
        foreach (int length in lengths)
        {
            int before = tree.GroupCount;
            int lastLength = before == 0 ? 0 : tree.GroupLength(before - 1);
            tree.Resize(length);
            int common = Math.Min(before, tree.GroupCount);
            bool isOther = common > 0
                && (tree.GroupLength(common - 1) != (common == before ? lastLength : Group) || (before == 1) != (tree.GroupCount == 1));
            int first = isOther ? common - 1 : common;
            for (int i = first; i < tree.GroupCount; i++)
            {
                Assert.That(tree.Root, Throws.InvalidOperationException, $"{length} bytes, group {i} is missing");
                tree.SetGroup(i, content.AsSpan(i * Group, tree.GroupLength(i)));
            }
            Assert.That(tree.Root() == Blake3.Hash(content.AsSpan(0, length)), $"{length} bytes");
        }
    }

    [Test]
    public void KeptGroupValues_MakeTheSameTree()
    {
        byte[] content = Samples.Random(11 * Group + 123, 9);
        var tree = new GroupTree();
        tree.Resize(content.Length);
        for (int i = 0; i < tree.GroupCount; i++)
        {
            tree.SetGroup(i, GroupOf(content, i));
        }
        var again = new GroupTree();
        again.Resize(content.Length);
        for (int i = 0; i < again.GroupCount; i++)
        {
            again.SetGroup(i, tree.GroupValues[i]);
        }
        Assert.That(again.Root() == Blake3.Hash(content));
        Assert.That(tree.GroupValues[3] == Blake3.GroupValue(content.AsSpan(3 * Group, Group), 3));
        Assert.That(tree.GroupValues[3] != Blake3.GroupValue(content.AsSpan(3 * Group, Group), 4), "a value is of its place");
    }

    [Test]
    public void AGroupOfAnotherLength_IsRefused()
    {
        var tree = new GroupTree();
        tree.Resize(Group + 5);
        Assert.That(() => tree.SetGroup(0, new byte[Group - 1]), Throws.ArgumentException);
        Assert.That(() => tree.SetGroup(1, new byte[6]), Throws.ArgumentException);
        Assert.That(() => tree.SetGroup(2, new byte[1]), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    private static ReadOnlySpan<byte> GroupOf(byte[] content, int index) =>
        content.AsSpan(index * Group, Math.Min(Group, content.Length - index * Group));
}
