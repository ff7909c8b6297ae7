// SPDX-License-Identifier: MPL-2.0
using NUnit.Framework;

namespace DeepLake.Hash.Tests;

/// <summary>What b3sum printed for thousands of lengths (tests/golden/blake3), by every way to hash.</summary>
[TestFixture]
public sealed class Blake3GoldenTests
{
    private static readonly (int Length, string Hash)[] Golden =
    [
        .. File.ReadLines(Path.Combine(Samples.Root, "tests/golden/blake3/b3sum.txt"))
            .Select(line => line.Split(' '))
            .Select(fields => (int.Parse(fields[0]), fields[1])),
    ];

    private static readonly byte[] Data = Samples.Pattern(Golden[^1].Length);

    public static IEnumerable<string> BackendNames => Backends.Names;

    [Test]
    public void TheVectors_AreThousands() => Assert.That(Golden, Has.Length.GreaterThan(2000));

    [TestCaseSource(nameof(BackendNames))]
    public void OneShot_IsWhatB3sumPrints(string backend)
    {
        foreach ((int length, string hash) in Golden)
        {
            AssertHash(Blake3.Hash(Backends.Get(backend), Data.AsSpan(0, length)), length, hash);
        }
    }

    [TestCaseSource(nameof(BackendNames))]
    public void Streaming_IsWhatB3sumPrints_HoweverThePiecesAre(string backend)
    {
        var random = new Random(1);
        var hasher = new Blake3Hasher(Backends.Get(backend));
        foreach ((int length, string hash) in Golden)
        {
            hasher.Reset();
            int largest = 1 << random.Next(1, 19);
            for (int at = 0; at < length;)
            {
                int piece = Math.Min(length - at, random.Next(largest));
                hasher.Append(Data.AsSpan(at, piece));
                at += piece;
            }
            AssertHash(hasher.Finish(), length, hash);
        }
    }

    [TestCaseSource(nameof(BackendNames))]
    public void Batches_AreWhatB3sumPrints(string backend)
    {
        ByteRange[] inputs = [.. Golden.Select(g => new ByteRange(0, g.Length))];
        var results = new Blake3Hash[inputs.Length];
        new Random(2).Shuffle(inputs);
        new BatchHasher(Backends.Get(backend)).Hash(Data, inputs, results);
        Dictionary<int, string> expected = Golden.ToDictionary(g => g.Length, g => g.Hash);
        for (int i = 0; i < inputs.Length; i++)
        {
            AssertHash(results[i], inputs[i].Length, expected[inputs[i].Length]);
        }
    }

    [TestCaseSource(nameof(BackendNames))]
    public void Groups_LeadToWhatB3sumPrints(string backend)
    {
        var tree = new GroupTree(Backends.Get(backend));
        foreach ((int length, string hash) in Golden)
        {
            tree.Resize(length);
            for (int i = 0; i < tree.GroupCount; i++)
            {
                tree.SetGroup(i, Data.AsSpan(i * Blake3.GroupBytes, tree.GroupLength(i)));
            }
            AssertHash(tree.Root(), length, hash);
        }
    }

    private static void AssertHash(Blake3Hash actual, int length, string expected)
    {
        if (actual.ToString() != expected)
        {
            Assert.Fail($"{length} bytes: {actual}, b3sum prints {expected}");
        }
    }
}
