// SPDX-License-Identifier: MPL-2.0
using DeepLake.Hash.Chunking;
using NUnit.Framework;

namespace DeepLake.Hash.Tests;

/// <summary>Hashing and cutting make no garbage: they run beside the ring.</summary>
[TestFixture]
public sealed class AllocationTests
{
    private readonly byte[] _data = Samples.Random(3 << 20, 15);
    private readonly Blake3Hasher _hasher = new();
    private readonly BatchHasher _batch = new();
    private readonly GroupTree _tree = new();
    private readonly Chunker _chunker = new(ChunkSizes.Lake);
    private readonly int[] _cuts = new int[1000];
    private readonly ByteRange[] _inputs = [.. Enumerable.Range(0, 300).Select(i => new ByteRange(i * 100, i * 13))];
    private readonly Blake3Hash[] _results = new Blake3Hash[300];
    private readonly Blake3Hash[] _proof = new Blake3Hash[32];

    [Test]
    public void HashingAndCutting_AllocateNothing()
    {
        _tree.Resize(_data.Length);
        for (int round = 0; round < 3; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Work();
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (round == 2)
            {
                Assert.That(allocated, Is.Zero);
            }
        }
    }

    private void Work()
    {
        Blake3.Hash(_data);
        _hasher.Reset();
        _hasher.Append(_data);
        _hasher.AppendZeros(100_000);
        _hasher.Finish();
        _batch.Hash(_data, _inputs, _results);
        for (int i = 0; i < _tree.GroupCount; i++)
        {
            _tree.SetGroup(i, _data.AsSpan(i * Blake3.GroupBytes, _tree.GroupLength(i)));
        }
        Blake3Hash root = _tree.Root();
        int values = RangeProof.Build(_tree, 7, 2, _proof);
        RangeProof.Verify(root, _data.Length, 7, _data.AsSpan(7 * Blake3.GroupBytes, 2 * Blake3.GroupBytes), _proof.AsSpan(0, values));
        _chunker.Reset();
        _chunker.Append(_data, _cuts);
    }
}
