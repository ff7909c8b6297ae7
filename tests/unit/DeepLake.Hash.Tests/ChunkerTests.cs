// SPDX-License-Identifier: MPL-2.0
using System.Runtime.Intrinsics.X86;
using DeepLake.Hash.Chunking;
using NUnit.Framework;

namespace DeepLake.Hash.Tests;

[TestFixture]
public sealed class ChunkerTests
{
    private static readonly ChunkSizes Small = new(64, 1024, 4096);

    /// <summary>Byte by byte; and sixteen lanes where the processor has them.</summary>
    public static IEnumerable<bool> Ways => Avx512F.IsSupported ? [false, true] : [false];

    public static IEnumerable<string> Contents => ["random", "zeros", "ones", "short period", "long period", "letters", "digits", "sparse", "many cuts", "a few too many cuts"];

    [Test]
    public void Cuts_AreThoseOfTheDefinition([ValueSource(nameof(Ways))] bool useLanes, [ValueSource(nameof(Contents))] string kind)
    {
        byte[] content = Content(kind, 140_000);
        AssertCuts(content, Small, useLanes);
        AssertCuts(content, ChunkSizes.Lake, useLanes);
        AssertCuts(content, new ChunkSizes(1000, 1024, 1025), useLanes);
        AssertCuts(content, new ChunkSizes(32, 2048, 100_000), useLanes);
    }

    [Test]
    public void Cuts_AreThoseOfTheDefinition_ForShortContents([ValueSource(nameof(Ways))] bool useLanes)
    {
        byte[] content = Samples.Random(9000, 20);
        var lengths = Enumerable.Range(0, 200).Concat(Enumerable.Range(4090, 20)).Concat(Enumerable.Range(8180, 30));
        foreach (int length in lengths)
        {
            AssertCuts(content[..length], Small, useLanes);
        }
    }

    [TestCaseSource(nameof(Ways))]
    public void Cuts_AreTheSame_SplitAnywhere(bool useLanes)
    {
        byte[] content = Samples.Random(6000, 21);
        List<int> expected = ReferenceChunker.Cuts(content, Small.Min, Small.Normal, Small.Max);
        for (int split = 0; split <= content.Length; split++)
        {
            Assert.That(Run(content, Small, useLanes, [split, content.Length - split]), Is.EqualTo(expected), $"split at {split}");
        }
    }

    [Test]
    public void Cuts_AreTheSame_HoweverThePiecesAre([ValueSource(nameof(Ways))] bool useLanes, [ValueSource(nameof(Contents))] string kind)
    {
        byte[] content = Content(kind, 200_000);
        List<int> expected = ReferenceChunker.Cuts(content, Small.Min, Small.Normal, Small.Max);
        var random = new Random(22);
        for (int round = 0; round < 15; round++)
        {
            int largest = 1 << random.Next(1, 19);
            var pieces = new List<int>();
            for (int left = content.Length; left > 0; left -= pieces[^1])
            {
                pieces.Add(Math.Min(left, random.Next(largest)));
            }
            Assert.That(Run(content, Small, useLanes, pieces), Is.EqualTo(expected), $"round {round}");
        }
    }

    // The example of docs/chunking.md: changed cuts would be another format.
    [TestCaseSource(nameof(Ways))]
    public void TheLakesCuts_OfTheDocumentsExample_StayAsTheyAre(bool useLanes)
    {
        byte[] content = new byte[1 << 20];
        ulong state = 0;
        for (int i = 0; i < content.Length; i++)
        {
            content[i] = (byte)ReferenceChunker.SplitMix(ref state);
        }
        string document = File.ReadAllText(Path.Combine(Samples.Root, "docs/chunking.md"));
        string cuts = string.Join(", ", Run(content, ChunkSizes.Lake, useLanes, [content.Length]));
        Assert.That(document, Does.Contain($"`{cuts}`"), cuts);
    }

    [Test]
    public void OneByteInserted_MovesOnlyTheCutsAroundIt()
    {
        byte[] content = Samples.Random(8 << 20, 23);
        byte[] longer = [.. content.AsSpan(0, 3 << 20), 42, .. content.AsSpan(3 << 20)];
        HashSet<int> before = [.. Run(content, ChunkSizes.Lake, true, [content.Length])];
        List<int> after = Run(longer, ChunkSizes.Lake, true, [longer.Length]);
        int moved = after.Count(cut => !before.Contains(cut <= 3 << 20 ? cut : cut - 1));
        Assert.That(moved, Is.LessThanOrEqualTo(6), $"of {after.Count}");
    }

    [Test]
    public void Chunks_OfRandomBytes_HaveTheSizesTheyShould()
    {
        byte[] content = Samples.Random(32 << 20, 24);
        List<int> cuts = Run(content, ChunkSizes.Lake, true, [content.Length]);
        double mean = (double)content.Length / cuts.Count;
        Assert.That(mean, Is.InRange(34_000, 42_000));
    }

    [Test]
    public void RunsOfOneByte_AreNoCuts()
    {
        foreach (uint entry in Gear.Table)
        {
            // The hash of 32 equal bytes is -entry.
            Assert.That((0u - entry) & ChunkSizes.Lake.LooseMask, Is.Not.Zero);
        }
    }

    private static void AssertCuts(byte[] content, ChunkSizes sizes, bool useLanes)
    {
        List<int> expected = ReferenceChunker.Cuts(content, sizes.Min, sizes.Normal, sizes.Max);
        Assert.That(Run(content, sizes, useLanes, [content.Length]), Is.EqualTo(expected), $"{content.Length} bytes, {sizes}");
    }

    private static List<int> Run(byte[] content, ChunkSizes sizes, bool useLanes, List<int> pieces)
    {
        var chunker = new Chunker(sizes, useLanes && Avx512F.IsSupported);
        var all = new List<int>();
        int[] cuts = new int[chunker.MaxCuts(content.Length)];
        int at = 0;
        foreach (int piece in pieces)
        {
            int count = chunker.Append(content.AsSpan(at, piece), cuts);
            Assert.That(count, Is.LessThanOrEqualTo(chunker.MaxCuts(piece)));
            foreach (int cut in cuts.AsSpan(0, count))
            {
                all.Add(at + cut);
            }
            at += piece;
        }
        Assert.That(chunker.OpenBytes, Is.EqualTo(content.Length - (all.Count == 0 ? 0 : all[^1])));
        return all;
    }

    private static byte[] Content(string kind, int bytes)
    {
        byte[] content = Samples.Random(bytes, 25);
        for (int i = 0; i < bytes; i++)
        {
            content[i] = kind switch
            {
                "zeros" => 0,
                "ones" => 255,
                "short period" => (byte)(i % 3),
                "long period" => content[i % 1777],
                "letters" => (byte)('a' + content[i] % 26),
                "digits" => (byte)('0' + content[i] % 10),
                "sparse" => i / 5000 % 2 == 0 ? content[i] : (byte)0,
                _ => content[i],
            };
        }
        if (kind is "many cuts" or "a few too many cuts")
        {
            MakeManyCandidates(content, kind == "many cuts" ? 1 : 12);
        }
        return content;
    }

    // At every `each`-th place a byte that makes the loose mask fit, where there is one.
    private static void MakeManyCandidates(byte[] content, int each)
    {
        uint hash = 0;
        for (int i = 0; i < content.Length; i++)
        {
            for (int value = 0; i % each == 0 && value < 256; value++)
            {
                if ((Gear.Step(hash, (byte)value) & Small.LooseMask) == 0)
                {
                    content[i] = (byte)value;
                    break;
                }
            }
            hash = Gear.Step(hash, content[i]);
        }
    }
}
