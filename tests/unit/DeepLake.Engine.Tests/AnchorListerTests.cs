// SPDX-License-Identifier: MPL-2.0
using System.Buffers.Binary;
using DeepLake.Engine.Ingest;
using DeepLake.Hash;
using DeepLake.Hash.Chunking;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>Which chunks are anchors (docs/chunking.md).</summary>
[TestFixture]
public sealed class AnchorListerTests
{
    private readonly AnchorLister _lister = new();

    [Test]
    public void Anchors_DoNotDependOnThePieces([Values(4096, 100_000, 1 << 20, 3 << 20)] int bytes)
    {
        byte[] content = Random(5_000_001, seed: 1);
        _lister.Begin();
        for (int at = 0; at < content.Length; at += bytes)
        {
            _lister.Append((ulong)at, content.AsSpan(at, Math.Min(bytes, content.Length - at)));
        }

        Assert.That(_lister.Finish(), Is.EqualTo(Expected(content)));
    }

    [Test]
    public void AByteInserted_LeavesMostAnchors()
    {
        byte[] content = Random(4 << 20, seed: 2);
        Anchor[] before = List(content);
        Anchor[] after = List([7, .. content]);
        var moved = after.Select(a => a with { Pos = a.Pos - 1 }).ToHashSet();
        Assert.That(before, Has.Length.GreaterThan(20));
        Assert.That(before.Count(moved.Contains), Is.GreaterThanOrEqualTo(before.Length - 1));
    }

    [TestCase(8191, 0)]
    [TestCase(8192, 1)]
    [TestCase(20_000, 1)]
    public void ASmallFile_HasOne_WhenItIsNotTooSmall(int bytes, int anchors)
    {
        byte[] content = Random(bytes, seed: 3);
        Assert.That(List(content), Has.Length.EqualTo(anchors));
    }

    [Test]
    public void WhateverTheFile_ItsSmallestFingerprintIsAnAnchor([Range(1, 20)] int seed)
    {
        byte[] content = Random(100_000, seed);
        Assert.That(List(content), Is.EqualTo(Expected(content)).And.Not.Empty);
    }

    [Test]
    public void Zeroes_AreNoAnchors()
    {
        Assert.That(List(new byte[3 << 20]), Is.Empty);
    }

    [Test]
    public void BehindAHole_CuttingBeginsAnew()
    {
        byte[] before = Random(300_000, seed: 4);
        byte[] behind = Random(2_000_000, seed: 5);
        const ulong at = 1ul << 40;
        _lister.Begin();
        _lister.Append(0, before);
        _lister.Append(at, behind);
        Anchor[] found = _lister.Finish();
        Anchor[] expected = [.. Chunks(before), .. Chunks(behind).Select(c => c with { Pos = c.Pos + at })];
        Assert.That(found, Is.EqualTo(AnchorsOf(expected)));
    }

    [Test]
    public void ItBeginsAnew_WithEachFile()
    {
        byte[] content = Random(1_000_000, seed: 6);
        Anchor[] first = List(content);
        _lister.Begin();
        _lister.Append(0, Random(777_777, seed: 7));
        Assert.That(List(content), Is.EqualTo(first));
    }

    private Anchor[] List(byte[] content)
    {
        _lister.Begin();
        _lister.Append(0, content);
        return _lister.Finish();
    }

    private static Anchor[] Expected(byte[] content) => AnchorsOf(Chunks(content));

    private static Anchor[] AnchorsOf(Anchor[] chunks)
    {
        ulong smallest = chunks.Length == 0 ? 0 : chunks.Min(c => c.Fingerprint);
        return [.. chunks.Where(c => c.Fingerprint % 4 == 0 || c.Fingerprint == smallest)];
    }

    private static Anchor[] Chunks(byte[] content)
    {
        var chunker = new Chunker(ChunkSizes.Lake);
        int[] cuts = new int[chunker.MaxCuts(content.Length)];
        int count = chunker.Append(content, cuts);
        var chunks = new List<Anchor>();
        int from = 0;
        foreach (int end in cuts[..count].Append(content.Length).Where(end => end > 0))
        {
            if (end - from >= 8192)
            {
                byte[] hash = new byte[Blake3Hash.SizeBytes];
                Blake3.Hash(content.AsSpan(from, end - from)).CopyTo(hash);
                chunks.Add(new Anchor(BinaryPrimitives.ReadUInt64LittleEndian(hash), (ulong)from, end - from));
            }

            from = end;
        }

        return [.. chunks];
    }

    private static byte[] Random(int bytes, int seed)
    {
        byte[] content = new byte[bytes];
        new Random(seed).NextBytes(content);
        return content;
    }
}
