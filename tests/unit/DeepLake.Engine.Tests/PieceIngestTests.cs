// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.Ingest;
using DeepLake.Platform;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>Files that are equal in part; the lake looks at every byte of what it is asked for.</summary>
[TestFixture]
public sealed class PieceIngestTests
{
    private const int Block = LakeFormat.BlockSize;
    private const int Size = 2 << 20;

    private PlayedLake _lake = null!;

    private int SharedBlocks => _lake.Shares.Sum(s => (int)s.Blocks);

    [SetUp]
    public void Open() => _lake = new PlayedLake();

    [TearDown]
    public void Close()
    {
        _lake.AssertContents();
        _lake.Dispose();
    }

    [TestCase(0)]
    [TestCase(1000)]
    public void AByteInsertedAtTheFront_LeavesNearlyAllShared(int skew)
    {
        byte[] content = Random(Size, 1);
        _lake.Write(20, content, skew: skew);
        _lake.Write(21, [5, .. content]);
        _lake.Ingest(20);
        Assert.That(_lake.Asked, Is.Zero);
        _lake.Ingest(21);
        Assert.That(SharedBlocks, Is.GreaterThanOrEqualTo(510));
        Assert.That(_lake.Asked, Is.EqualTo(1));
        _lake.Shares.Clear();
        _lake.Ingest(21);
        Assert.That(SharedBlocks, Is.Zero, "there is nothing to do any more");
    }

    [Test]
    public void WholeBlocksThatMoved_AreShared_OneIsEnough()
    {
        byte[] content = Random(Size, 2);
        byte[] other = [.. Random(8 * Block, 3), .. content];
        Random(10 * Block, 4).CopyTo(other, 100 * Block);
        Random(10 * Block, 5).CopyTo(other, 111 * Block);
        _lake.Write(20, content, extentBlocks: 50);
        _lake.Write(21, other);
        _lake.Ingest(20);
        _lake.Ingest(21);
        Assert.That(_lake.Shares.Select(s => (s.SrcPos / Block, s.DstBlock, s.Blocks)), Is.EqualTo(new[] { (0ul, 8ul, 92ul), (113ul, 121ul, 399ul) }));
    }

    [Test]
    public void FilesThatDifferInTheMiddle_ShareTheirEnds_TheLastBytesToo()
    {
        byte[] content = Random(Size + 77, 2);
        byte[] other = [.. content];
        other[Size / 2] ^= 1;
        _lake.Write(20, content);
        _lake.Write(21, other);
        _lake.Ingest(20);
        _lake.Ingest(21);
        Assert.That(_lake.Shares.Select(s => (s.DstBlock, s.Blocks)), Is.EqualTo(new[] { (0ul, 256ul), (257ul, 256ul) }));
    }

    [Test]
    public void ExtentsOfTheSource_AreSharedOneByOne()
    {
        byte[] content = Random(Size, 6);
        _lake.Write(20, content, extentBlocks: 37);
        _lake.Write(21, [.. Random(5000, 7), .. content]);
        _lake.Ingest(20);
        _lake.Ingest(21);
        Assert.That(_lake.Shares, Has.Count.EqualTo(14));
        Assert.That(SharedBlocks, Is.EqualTo(512 - 14));
    }

    [Test]
    public void ADamagedBlockOfTheSource_IsNotShared_AllElseIs([Values(0, 100, 300, 511)] int block)
    {
        byte[] content = Random(Size, 8);
        _lake.Write(20, content);
        _lake.Write(21, [.. content, .. Random(10, 9)]);
        _lake.Ingest(20);
        _lake.Damage(20, block);
        _lake.Ingest(21);
        Assert.That(_lake.Shares.Any(s => s.DstBlock <= (ulong)block && s.DstBlock + s.Blocks > (ulong)block), Is.False);
        Assert.That(SharedBlocks, Is.GreaterThan(512 - 100));
        _lake.Damage(20, block);
    }

    [Test]
    public void ABlockThatDoesNotFitItsChecksum_IsNotShared_ThoughTheBytesAreEqual([Values(20, 21)] int ino)
    {
        byte[] content = Random(Size, 8);
        _lake.Write(20, content);
        _lake.Write(21, [.. content, .. Random(10, 9)]);
        _lake.Ingest(20);
        _lake.Table.Stage(_lake.LookForSeal((ulong)ino, 100, 1)!.Pieces[0].PhysBlock, [0x12345678]);
        _lake.Table.Store();
        _lake.Ingest(21);
        Assert.That(_lake.Shares.Any(s => s.DstBlock <= 100 && s.DstBlock + s.Blocks > 100), Is.False);
        Assert.That(SharedBlocks, Is.GreaterThan(400));
    }

    [TestCase(20)]
    [TestCase(21)]
    public void WhatIsNotChecked_OrAHole_IsNotShared(int ino)
    {
        byte[] content = Random(Size, 10);
        content.AsSpan(50 * Block, 3 * Block).Clear();
        _lake.Write(20, content, holes: b => ino == 20 && b is >= 50 and < 53);
        _lake.Write(21, [.. content, .. Random(10, 9)], holes: b => ino == 21 && b is >= 50 and < 53);
        _lake.Ingest(20);
        _lake.Uncheck((ulong)ino, 200);
        _lake.Ingest(21);
        Assert.That(SharedBlocks, Is.EqualTo(512 - 4));
    }

    [TestCase(1, 1)]
    [TestCase(2, 1)]
    [TestCase(3, 0)]
    public void EAgain_IsTriedAgain_ThenLeft(int times, int shares)
    {
        byte[] content = Random(Size, 11);
        _lake.Write(20, content);
        _lake.Write(21, [5, .. content]);
        _lake.Ingest(20);
        _lake.Refusal = asked => asked < times ? Errno.EAGAIN : Errno.None;
        _lake.Ingest(21);
        Assert.That(_lake.Shares, Has.Count.EqualTo(shares));
        Assert.That(_lake.Pieces.Refusal, Is.EqualTo(Errno.None));
    }

    [TestCase(Errno.EBUSY, Errno.None, 13)]
    [TestCase(Errno.ENOENT, Errno.None, 13)]
    [TestCase(Errno.ENOMEM, Errno.ENOMEM, 0)]
    [TestCase(Errno.ENODEV, Errno.ENODEV, 0)]
    public void OtherRefusals_EndIt_WhenTheyAreOfMoreThanTheseBlocks(Errno refusal, Errno end, int shares)
    {
        byte[] content = Random(Size, 6);
        _lake.Write(20, content, extentBlocks: 37);
        _lake.Write(21, [5, .. content]);
        _lake.Ingest(20);
        _lake.Refusal = asked => asked == 0 ? refusal : Errno.None;
        _lake.Ingest(21);
        Assert.That(_lake.Pieces.Refusal, Is.EqualTo(end));
        Assert.That(_lake.Shares, Has.Count.EqualTo(shares));
    }

    [Test]
    public void MetadataWithoutRoom_IsNotAskedForMore()
    {
        byte[] content = Random(Size, 6);
        _lake.Write(20, content);
        _lake.Write(21, [5, .. content]);
        _lake.Ingest(20);
        _lake.IsFull = true;
        _lake.Ingest(21);
        Assert.That(_lake.Asked, Is.Zero);
    }

    /// <summary>Whatever step it is done after, and with what: the lake compares all that is asked for.</summary>
    [Test]
    public void AFileThatChangesMeanwhile_IsNotBelievedToBeWhatItWas([Range(0, 30, 2)] int step, [Values(20, 21)] int ino, [Values] bool isRemoved)
    {
        byte[] content = Random(Size, 12);
        _lake.Write(20, content, extentBlocks: 100);
        _lake.Write(21, [5, .. content]);
        _lake.Ingest(20);
        _lake.Ingest(21, steps =>
        {
            if (steps == step && isRemoved)
            {
                _lake.Remove((ulong)ino);
            }
            else if (steps == step)
            {
                _lake.Write((ulong)ino, Random(Size - 5000, 13));
            }
        });
        _lake.AssertContents();
    }

    [Test]
    public void APieceInTheMiddle_IsFoundInALongerFile_AndTheOtherWayRound([Values] bool isShortFirst)
    {
        byte[] piece = Random(300_001, 14);
        byte[] longer = [.. Random(700_007, 15), .. piece, .. Random(900_000, 16)];
        _lake.Write(20, isShortFirst ? piece : longer);
        _lake.Write(21, isShortFirst ? longer : piece);
        _lake.Ingest(20);
        _lake.Ingest(21);
        Assert.That(SharedBlocks, Is.GreaterThanOrEqualTo(71));
    }

    [Test]
    public void PiecesOfSeveralFiles_AreFound()
    {
        byte[] one = Random(500_000, 17);
        byte[] two = Random(600_000, 18);
        _lake.Write(20, one);
        _lake.Write(21, two, skew: 17);
        _lake.Write(22, [.. two.AsSpan(1000), .. one, .. two]);
        foreach (ulong ino in (ulong[])[20, 21, 22])
        {
            _lake.Ingest(ino);
        }

        Assert.That(_lake.Shares.Select(s => s.SrcIno).Distinct(), Is.EquivalentTo(new[] { 20ul, 21ul }));
        Assert.That(SharedBlocks, Is.GreaterThan((1_700_000 / Block) - 10));
    }

    [Test]
    public void LongMatches_AreSharedRangeAfterRange()
    {
        byte[] content = Random(40 << 20, 19);
        _lake.Write(20, content);
        _lake.Write(21, [.. Random(8192, 20), .. content]);
        _lake.Ingest(20);
        _lake.Ingest(21);
        Assert.That(SharedBlocks, Is.EqualTo(10240));
        Assert.That(_lake.Shares, Has.Count.LessThanOrEqualTo(4));
    }

    [Test]
    public void LongMatches_AtAnyByte_LoseABlockWhereTheRangesMeet()
    {
        byte[] content = Random(40 << 20, 19);
        _lake.Write(20, content);
        _lake.Write(21, [.. Random(8193, 20), .. content]);
        _lake.Ingest(20);
        _lake.Ingest(21);
        Assert.That(SharedBlocks, Is.InRange(10240 - 4, 10239));
    }

    [Test]
    public void WhatIsSharedAlready_IsNeitherReadNorAskedFor()
    {
        byte[] content = Random(Size, 21);
        byte[] other = [.. content];
        Random(3 * Block, 22).CopyTo(other, 250 * Block);
        _lake.Write(20, content);
        _lake.Write(21, other);
        _lake.Clone(20, 21, 0, 250);
        _lake.Clone(20, 21, 253, 512 - 253);
        _lake.Ingest(20);
        long before = _lake.Reader.BytesRead;
        _lake.Ingest(21);
        Assert.That(_lake.Asked, Is.Zero);
        Assert.That(_lake.Reader.BytesRead - before, Is.LessThan(1_200_000), "only around what differs");
    }

    [Test]
    public void BlocksThatOthersHaveToo_AreNotGivenUp_AsNothingWouldBecomeFree()
    {
        byte[] content = Random(Size, 23);
        _lake.Write(20, content);
        _lake.Write(21, [5, .. content]);
        _lake.Write(23, [5, .. content]);
        _lake.Clone(21, 23, 100, 50);
        _lake.Ingest(20);
        _lake.Ingest(21);
        Assert.That(SharedBlocks, Is.InRange(455, 462));
    }

    [Test]
    public void TheFirstCopy_StaysTheOneThatIsFound()
    {
        byte[] content = Random(Size, 24);
        for (ulong ino = 20; ino < 25; ino++)
        {
            _lake.Write(ino, [.. Random((int)ino, (int)ino), .. content]);
            _lake.Ingest(ino);
        }

        Assert.That(_lake.Shares.Select(s => s.SrcIno), Is.All.EqualTo(20));
    }

    [Test]
    public void AnchorsOfFilesThatAreGone_AreReplaced()
    {
        byte[] content = Random(Size, 25);
        _lake.Write(20, content);
        _lake.Ingest(20);
        _lake.Remove(20);
        _lake.Write(21, [1, .. content]);
        _lake.Ingest(21);
        Assert.That(_lake.Asked, Is.Zero);
        _lake.Write(22, [1, 2, .. content]);
        _lake.Ingest(22);
        Assert.That(SharedBlocks, Is.GreaterThan(505));
        Assert.That(_lake.Shares[0].SrcIno, Is.EqualTo(21));
    }

    [Test]
    public void AFileThatHasGrown_NotesOnlyWhatIsNew()
    {
        byte[] content = Random(Size, 25);
        _lake.Write(20, [.. content, .. content]);
        _lake.Ingest(20);
        Store();
        _lake.Ingest(20);
        Assert.That(_lake.Anchors.Pending, Is.Zero);
        _lake.Write(20, [.. content, .. content, .. Random(50_000, 26)]);
        _lake.Ingest(20);
        Assert.That(_lake.Anchors.Pending, Is.LessThan(5));

        void Store()
        {
            while (_lake.Anchors.Store(100))
            {
            }
        }
    }

    [Test]
    public void AnchorsThatLeadToOtherBytes_AreGivenUpAfterAWhile()
    {
        byte[] content = Random(16 << 20, 26);
        _lake.Write(20, content);
        _lake.Ingest(20);
        _lake.Write(20, Random(16 << 20, 27));
        _lake.Write(21, [1, .. content]);
        _lake.Ingest(21);
        Assert.That(_lake.Reader.BytesRead, Is.LessThanOrEqualTo(33 * 2 * 72 << 10));
        Assert.That(_lake.Asked, Is.Zero);
    }

    [Test]
    public void WhatDoesNotFitIntoMemory_IsStoredFirst()
    {
        for (int i = 0; i < AnchorTable.PendingMost; i++)
        {
            _lake.Anchors.Put((ulong)i << 50, 99, 0);
        }

        byte[] content = Random(Size, 28);
        _lake.Write(20, content);
        _lake.Ingest(20);
        _lake.Write(21, [1, .. content]);
        _lake.Ingest(21);
        Assert.That(SharedBlocks, Is.GreaterThan(505));
    }

    /// <summary>Files that come from each other by insertions, deletions, and what is written over.</summary>
    [Test]
    public void RandomEdits_ShareOnlyWhatIsEqual([Range(1, 30)] int seed)
    {
        var random = new Random(seed);
        List<byte[]> contents = [Random(random.Next(100_000, 1_500_000), seed * 1000)];
        for (ulong ino = 20; ino < 26; ino++)
        {
            if (ino > 20)
            {
                contents.Add(Edit(random, contents[random.Next(contents.Count)], contents[random.Next(contents.Count)]));
            }

            int extent = random.Next(3) == 0 ? int.MaxValue : random.Next(2, 200);
            int skew = random.Next(3) == 0 ? random.Next(1, Block) : 0;
            _lake.Write(ino, contents[^1], extent, skew);
            if (random.Next(8) == 0)
            {
                _lake.Uncheck(ino, random.Next(contents[^1].Length / Block));
            }

            _lake.Ingest(ino);
            _lake.AssertContents();
        }

        TestContext.Out.WriteLine($"{SharedBlocks} of {contents.Skip(1).Sum(c => c.Length / Block)} blocks");
    }

    private static byte[] Edit(Random random, byte[] content, byte[] other)
    {
        List<byte> edited = [.. content];
        for (int edits = random.Next(1, 5); edits > 0; edits--)
        {
            int at = random.Next(edited.Count);
            int bytes = random.Next(3) == 0 ? random.Next(1, 10) * Block : random.Next(1, 30_000);
            switch (random.Next(4))
            {
                case 0:
                    edited.InsertRange(at, Random(bytes, random.Next()));
                    break;
                case 1:
                    edited.RemoveRange(at, Math.Min(bytes, edited.Count - at));
                    break;
                case 2:
                    edited[at] ^= 1;
                    break;
                default:
                    int from = random.Next(other.Length);
                    edited.InsertRange(at, other.AsSpan(from, Math.Min(other.Length - from, 10 * bytes)));
                    break;
            }
        }

        return edited.Count > 20_000 ? [.. edited] : content;
    }

    private static byte[] Random(int bytes, int seed)
    {
        byte[] content = new byte[bytes];
        new Random(seed).NextBytes(content);
        return content;
    }
}
