// SPDX-License-Identifier: MPL-2.0
using DeepLake.Hash.Kernels;
using NUnit.Framework;

namespace DeepLake.Hash.Tests;

[TestFixture]
public sealed class Blake3HasherTests
{
    public static IEnumerable<string> BackendNames => Backends.Names;

    [TestCase(1025)]
    [TestCase(3072)]
    [TestCase(4097)]
    public void Append_GivesTheSameHash_SplitAnywhere(int length)
    {
        byte[] data = Samples.Random(length, 3);
        Blake3Hash expected = Blake3.Hash(data);
        var hasher = new Blake3Hasher();
        for (int split = 0; split <= length; split++)
        {
            hasher.Reset();
            hasher.Append(data.AsSpan(0, split));
            hasher.Append(data.AsSpan(split));
            Assert.That(hasher.Finish() == expected, $"split at {split}");
        }
    }

    [Test]
    public void Finish_LeavesTheHasherAsItIs()
    {
        byte[] data = Samples.Random(300_000, 4);
        var hasher = new Blake3Hasher();
        for (int at = 0; at < data.Length; at += 4999)
        {
            hasher.Append(data.AsSpan(at, Math.Min(4999, data.Length - at)));
            int length = Math.Min(at + 4999, data.Length);
            Assert.That(hasher.Finish() == Blake3.Hash(data.AsSpan(0, length)), $"after {length}");
        }
    }

    [TestCaseSource(nameof(BackendNames))]
    public void AppendZeros_IsTheSameAsAppendingThem(string backend)
    {
        HashKernel kernel = Backends.Get(backend);
        var random = new Random(5);
        byte[] data = new byte[1 << 20];
        var hasher = new Blake3Hasher(kernel);
        for (int round = 0; round < 60; round++)
        {
            Array.Clear(data);
            hasher.Reset();
            int length = 0;
            while (length < data.Length && random.Next(8) != 0)
            {
                int run = Math.Min(data.Length - length, random.Next(1 << random.Next(1, 19)));
                if (random.Next(2) == 0)
                {
                    hasher.AppendZeros(run);
                }
                else
                {
                    random.NextBytes(data.AsSpan(length, run));
                    hasher.Append(data.AsSpan(length, run));
                }
                length += run;
            }
            Assert.That(hasher.Finish() == Blake3.Hash(data.AsSpan(0, length)), $"round {round}");
        }
    }

    [TestCaseSource(nameof(BackendNames))]
    public void ChunkNumbersAbove32Bits_AreCountedInBothHalves(string backend)
    {
        HashKernel kernel = Backends.Get(backend);
        byte[] group = Samples.Random(Blake3.GroupBytes, 6);
        foreach (long index in new[] { (1L << 26) - 1, 1L << 26, (1L << 26) + 1, (1L << 40) + 1 })
        {
            Blake3Hash expected = Blake3.GroupValue(HashKernel.Scalar, group, index);
            Assert.That(Blake3.GroupValue(kernel, group, index) == expected, $"group {index}");
            Assert.That(expected != Blake3.GroupValue(HashKernel.Scalar, group, index & 0xFFFF), "the upper half counts");
        }
    }
}
