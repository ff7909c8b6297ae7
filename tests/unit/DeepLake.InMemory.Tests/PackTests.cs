// SPDX-License-Identifier: MPL-2.0
using System.Text;
using DeepLake.Platform;
using NUnit.Framework;

namespace DeepLake.InMemory.Tests;

/// <summary>Files are compressed and stay what they were.</summary>
[TestFixture]
public sealed class PackTests : LakeTest
{
    [Test]
    public void TextIsCompressed_AndRead_AndWritten_AndStaysAfterACrash()
    {
        byte[] text = Text(300 * Block, 1);
        Lake.WriteFile("text", text);
        Lake.WriteFile("random", Random(40 * Block));
        Lake.Settle();
        long before = Lake.GetStats().StoredBytes;
        (long bytes, long into) = Lake.Pack();
        Assert.That(bytes, Is.EqualTo(300 * Block));
        Assert.That(into, Is.LessThan(bytes / 2));
        LakeStats stats = Lake.GetStats();
        Assert.That((stats.LogicalBytes, stats.StoredBytes), Is.EqualTo((340L * Block, before - bytes + into)));
        AssertSame(Lake.ReadFile("text"), text);
        Assert.That(Lake.Verify(full: true).Findings, Is.Empty);
        Assert.That(Lake.Pack(), Is.EqualTo((0L, 0L)), "what is packed, or not worth it, is left");

        Lake.WriteAt("text", (50 * Block) + 77, "other words"u8);
        "other words"u8.CopyTo(text.AsSpan((50 * Block) + 77));
        AssertSame(Lake.ReadFile("text"), text);
        Lake.Sync();
        Lake.Crash();
        AssertSame(Lake.ReadFile("text"), text);
        Assert.That(Lake.Verify(full: true).Findings, Is.Empty);
    }

    [Test]
    public void SmallFiles_GoIntoOnePack_WhichIsFreeWhenAllOfThemAreGone()
    {
        for (int i = 0; i < 30; i++)
        {
            Lake.WriteFile($"{i}", Text(200, i));
        }

        Lake.Settle();
        Assert.That(Lake.Pack(), Is.EqualTo((30L * Block, (long)Block)));
        for (int i = 0; i < 29; i++)
        {
            AssertSame(Lake.ReadFile($"{i}"), Text(200, i));
            Lake.Delete($"{i}");
            Assert.That(Lake.GetStats().StoredBytes, Is.EqualTo(Block));
        }

        AssertSame(Lake.ReadFile("29"), Text(200, 29));
        Lake.Delete("29");
        Assert.That(Lake.GetStats().StoredBytes, Is.Zero);
    }

    [Test]
    public void EqualFiles_ArePackedTogether_AndNothingOfThemIsLeftUnpacked()
    {
        byte[] text = Text((100 * Block) + 5, 3);
        for (int i = 0; i < 3; i++)
        {
            Lake.WriteFile($"{i}", text);
        }

        Lake.WriteFile("small", Text(50, 9));
        Lake.WriteFile("same", Text(50, 9));
        Lake.Settle();
        Assert.That(Lake.GetStats().StoredBytes, Is.EqualTo(102 * Block));
        (long bytes, long into) = Lake.Pack();
        Assert.That(bytes, Is.EqualTo(305 * Block), "of each file");
        Assert.That(Lake.GetStats().StoredBytes, Is.EqualTo(into));
        for (int i = 0; i < 3; i++)
        {
            AssertSame(Lake.ReadFile($"{i}"), text);
        }

        AssertSame(Lake.ReadFile("same"), Text(50, 9));
        Lake.Sync();
        Lake.Crash();
        Lake.Delete("0");
        Lake.Delete("2");
        AssertSame(Lake.ReadFile("1"), text);
        Assert.That(Lake.Verify(full: true).Findings, Is.Empty);
    }

    [Test]
    public void AFileThatIsEqualToAPackedOne_ComesToLieInItsPacks()
    {
        byte[] text = Text(64 * Block, 4);
        Lake.WriteFile("packed", text);
        Lake.Settle();
        Lake.Pack();
        long stored = Lake.GetStats().StoredBytes;
        Lake.WriteFile("late", text);
        Lake.Settle();
        Assert.That(Lake.GetStats().StoredBytes, Is.EqualTo(stored));
        Lake.Delete("packed");
        AssertSame(Lake.ReadFile("late"), text);
        Assert.That(Lake.GetStats().StoredBytes, Is.EqualTo(stored));
    }

    [Test]
    public void PacksThatAreHardlyUsed_AreRewritten_AndOthersAreLeft()
    {
        for (int i = 0; i < 128; i++)
        {
            Lake.WriteFile($"{i}", Hex(3000, i));
            Lake.WriteFile($"same{i}", Hex(3000, i));
        }

        Lake.WriteFile("full", Text(320 * Block, 1000));
        Lake.Settle();
        Lake.Pack();
        long before = Lake.GetStats().StoredBytes;
        Assert.That(Lake.CollectPacks(), Is.EqualTo((0, 0L, 0L)));
        for (int i = 0; i < 128; i++)
        {
            if (i % 16 != 0)
            {
                Lake.Delete($"{i}");
                Lake.Delete($"same{i}");
            }
        }

        Assert.That(Lake.GetStats().StoredBytes, Is.EqualTo(before), "each pack is still used");
        (int packs, long bytes, long live) = Lake.CollectPacks();
        Assert.That(packs, Is.EqualTo(4));
        Assert.That(live, Is.EqualTo(16 * Block), "of both files");
        LakeStats stats = Lake.GetStats();
        Assert.That(stats.StoredBytes, Is.LessThan(before - bytes + (8 * Block)));
        Assert.That(Lake.CollectPacks(), Is.EqualTo((0, 0L, 0L)));
        for (int i = 0; i < 128; i += 16)
        {
            AssertSame(Lake.ReadFile($"{i}"), Hex(3000, i));
            AssertSame(Lake.ReadFile($"same{i}"), Hex(3000, i));
        }

        AssertSame(Lake.ReadFile("full"), Text(320 * Block, 1000));
        Lake.Sync();
        Lake.Crash();
        AssertSame(Lake.ReadFile("same16"), Hex(3000, 16));
        Assert.That(Lake.Verify(full: true).Findings, Is.Empty);
    }

    [Test]
    public void ABitOfAPack_DamagesAllThatIsInIt_AndNothingElse()
    {
        EndsClean = false;
        for (int i = 0; i < 4; i++)
        {
            Lake.WriteFile($"{i}", Text(3 * Block, i));
        }

        Lake.WriteFile("large", Text(32 * Block, 8));
        Lake.Settle();
        Lake.Pack();
        Lake.FlipBit("2", 100);
        for (int i = 0; i < 4; i++)
        {
            string name = $"{i}";
            AssertRefused(Errno.EIO, name, () => Lake.ReadFile(name));
        }

        AssertSame(Lake.ReadFile("large"), Text(32 * Block, 8));
        Assert.That(Lake.Verify(full: true).Findings, Has.Count.EqualTo(4));
        Lake.WriteFile("2", Text(3 * Block, 2));
        AssertSame(Lake.ReadFile("2"), Text(3 * Block, 2));
    }

    // half of it is left when it is compressed
    private byte[] Hex(int bytes, int seed) => Encoding.ASCII.GetBytes(Convert.ToHexString(Random(bytes / 2, seed)));

    private static byte[] Text(int bytes, int seed)
    {
        var text = new StringBuilder();
        var random = new Random(seed);
        while (text.Length < bytes)
        {
            text.Append("line ").Append(random.Next(1000)).Append(" of words that come again\n");
        }

        return Encoding.ASCII.GetBytes(text.ToString(0, bytes));
    }
}
