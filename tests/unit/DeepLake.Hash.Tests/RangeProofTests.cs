// SPDX-License-Identifier: MPL-2.0
using NUnit.Framework;

namespace DeepLake.Hash.Tests;

[TestFixture]
public sealed class RangeProofTests
{
    private const int Group = Blake3.GroupBytes;

    [TestCase(1)]
    [TestCase(Group)]
    [TestCase(Group + 1)]
    [TestCase(2 * Group)]
    [TestCase(5 * Group + 100)]
    [TestCase(13 * Group)]
    [TestCase(16 * Group + 1)]
    public void EveryRangeOfGroups_IsProven(int length)
    {
        byte[] content = Samples.Random(length, 10);
        GroupTree tree = Build(content);
        Blake3Hash root = Blake3.Hash(content);
        var proof = new Blake3Hash[RangeProof.MaxValues(tree.GroupCount)];
        for (int first = 0; first < tree.GroupCount; first++)
        {
            for (int count = 1; first + count <= tree.GroupCount; count++)
            {
                int values = RangeProof.Build(tree, first, count, proof);
                Assert.That(RangeProof.Verify(root, length, first, Range(content, first, count), proof.AsSpan(0, values)), $"{first}+{count}");
            }
        }
    }

    [Test]
    public void AnythingChanged_IsRefused()
    {
        byte[] content = Samples.Random(9 * Group + 100, 11);
        GroupTree tree = Build(content);
        Blake3Hash root = Blake3.Hash(content);
        var space = new Blake3Hash[RangeProof.MaxValues(tree.GroupCount)];
        Blake3Hash[] proof = space[..RangeProof.Build(tree, 3, 2, space)];
        byte[] data = Range(content, 3, 2).ToArray();
        long length = content.Length;
        Assert.That(RangeProof.Verify(root, length, 3, data, proof));
        foreach (int at in new[] { 0, 1023, 1024, Group - 1, Group, 2 * Group - 1 })
        {
            data[at] ^= 1;
            Assert.That(RangeProof.Verify(root, length, 3, data, proof), Is.False, $"byte {at}");
            data[at] ^= 1;
        }
        for (int i = 0; i < proof.Length; i++)
        {
            Blake3Hash kept = proof[i];
            proof[i] = root;
            Assert.That(RangeProof.Verify(root, length, 3, data, proof), Is.False, $"value {i}");
            proof[i] = kept;
        }
        Assert.That(RangeProof.Verify(proof[0], length, 3, data, proof), Is.False, "another root");
        Assert.That(RangeProof.Verify(root, length, 2, data, proof), Is.False, "another place");
        Assert.That(RangeProof.Verify(root, length, 3, data.AsSpan(0, Group), proof), Is.False, "less data");
        Assert.That(RangeProof.Verify(root, length, 3, data.AsSpan(1), proof), Is.False, "parts of groups");
        Assert.That(RangeProof.Verify(root, length, 3, data, proof.AsSpan(1)), Is.False, "fewer values");
        Assert.That(RangeProof.Verify(root, length, 3, data, [.. proof, root]), Is.False, "more values");
        Assert.That(RangeProof.Verify(root, 4 * Group, 3, data, proof), Is.False, "more data than there can be");
        Assert.That(RangeProof.Verify(root, length, 3, [], proof), Is.False, "no data");
        Assert.That(RangeProof.Verify(root, length, -1, data, proof), Is.False, "no place");
        Assert.That(RangeProof.Verify(root, -1, 3, data, proof), Is.False, "no length");
    }

    [Test]
    public void TheLastGroup_ProvesTheLength()
    {
        byte[] content = Samples.Random(6 * Group + 100, 12);
        GroupTree tree = Build(content);
        Blake3Hash root = Blake3.Hash(content);
        var space = new Blake3Hash[RangeProof.MaxValues(tree.GroupCount)];
        Blake3Hash[] proof = space[..RangeProof.Build(tree, 6, 1, space)];
        Assert.That(RangeProof.Verify(root, content.Length, 6, content.AsSpan(6 * Group), proof));
        Assert.That(RangeProof.Verify(root, content.Length - 1, 6, content.AsSpan(6 * Group, 99), proof), Is.False);
        byte[] longer = [.. content.AsSpan(6 * Group), 0];
        Assert.That(RangeProof.Verify(root, content.Length + 1, 6, longer, proof), Is.False);
    }

    private static GroupTree Build(byte[] content)
    {
        var tree = new GroupTree();
        tree.Resize(content.Length);
        for (int i = 0; i < tree.GroupCount; i++)
        {
            tree.SetGroup(i, content.AsSpan(i * Group, tree.GroupLength(i)));
        }
        return tree;
    }

    private static ReadOnlySpan<byte> Range(byte[] content, int first, int count) =>
        content.AsSpan(first * Group, Math.Min(count * Group, content.Length - first * Group));
}
