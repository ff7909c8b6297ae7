// SPDX-License-Identifier: MPL-2.0
using DeepLake.Check;
using DeepLake.Platform;
using NUnit.Framework;

namespace DeepLake.InMemory.Tests;

[TestFixture]
public sealed class SettleTests : LakeTest
{
    [Test]
    public void EqualFiles_ShareTheirBlocks_UntilOneOfThemChanges()
    {
        byte[] content = Random(100 * Block);
        for (int i = 0; i < 3; i++)
        {
            Lake.WriteFile($"{i}", content);
        }

        Assert.That(Lake.Settle(), Has.Property("Files").EqualTo(3).And.Property("Unfinished").EqualTo(0));
        LakeStats stats = Lake.GetStats();
        Assert.That(
            (stats.LogicalBytes, stats.StoredBytes, stats.SharedBytes, stats.SavedBytes, stats.CheckedBytes, stats.Identities),
            Is.EqualTo((300L * Block, 100L * Block, 100L * Block, 200L * Block, 300L * Block, 3L)));
        Assert.That(Lake.Settle().Files, Is.Zero);

        Lake.WriteAt("1", (50 * Block) + 3, "change"u8);
        Assert.That(Lake.GetStats().StoredBytes, Is.EqualTo(101 * Block));
        AssertSame(Lake.ReadFile("0"), content);
        "change"u8.CopyTo(content.AsSpan((50 * Block) + 3));
        AssertSame(Lake.ReadFile("1"), content);
        Lake.Settle();
        Lake.Crash(); // nothing was synced: the files, or some of them, or none
        foreach (LakeEntry entry in Lake.List("/"))
        {
            Assert.That(Lake.ReadFile(entry.Name), Has.Length.EqualTo(content.Length));
        }
    }

    [Test]
    public void ADamagedByte_IsAnExceptionThatNamesTheFile_WhetherItIsSettledOrNot()
    {
        EndsClean = false;
        Lake.CreateDirectory("d");
        Lake.WriteFile("d/new", Random(10 * Block, 1));
        Lake.WriteFile("d/settled", Random(10 * Block, 2));
        Lake.Settle();
        Lake.WriteFile("d/new", Random(10 * Block, 3));
        foreach (string path in new[] { "d/new", "/d/settled" })
        {
            Lake.FlipBit(path, (4 * Block) + 99);
            DamagedFileException damage = Assert.Throws<DamagedFileException>(() => Lake.ReadFile(path))!;
            Assert.That((damage.Reason, damage.Path, damage.OffsetBytes), Is.EqualTo((Errno.EIO, path, 4L * Block)));
            Assert.That(damage.Message, Does.Contain(path));
            AssertRefused(Errno.EIO, path, () => Lake.HashOf(path));
            AssertRefused(Errno.EIO, path, () => Lake.WriteAt(path, (4 * Block) + 1, "x"u8));
            AssertRefused(Errno.EIO, path, () => Lake.Truncate(path, (4 * Block) + 1));
            Assert.That(Lake.ReadAt(path, 5 * Block, new byte[Block]), Is.EqualTo(Block), "other blocks are read");
        }

        Assert.That(Lake.Verify().Findings, Is.Empty);
        Assert.That(Lake.Verify(full: true).Findings, Has.Count.EqualTo(2).And.Some.Contains("/d/new").And.Some.Contains("/d/settled"));
        Assert.That(Lake.Settle().Damaged, Is.EqualTo(new[] { "/d/new" }));

        // what is written anew is whole again
        Lake.WriteAt("d/new", 4 * Block, Random(Block, 9));
        Lake.WriteFile("d/settled", "x"u8);
        Assert.That(Lake.Verify(full: true).Findings, Is.Empty);
        Assert.That(Lake.Settle().Unfinished, Is.Zero);
        Assert.That(() => Lake.ReadFile("d/new"), Throws.Nothing);
        AssertRefused(Errno.ENXIO, "d/new", () => Lake.FlipBit("d/new", 1 << 30));
    }

    [Test]
    public void DamageOfASharedBlock_IsInAllItsFiles()
    {
        EndsClean = false;
        Lake.WriteFile("a", Random(3 * Block));
        Lake.WriteFile("b", Random(3 * Block));
        Lake.Settle();
        Lake.FlipBit("a", 0);
        Assert.That(Assert.Throws<DamagedFileException>(() => Lake.ReadFile("b"))!.Path, Is.EqualTo("b"));
    }

    [Test]
    public void Verify_NamesEachDamagedFile_HoweverMuchOfTheFirstIsDamaged()
    {
        EndsClean = false;
        Lake.WriteFile("many", Random(300 * Block, 1));
        Lake.WriteFile("one", Random(Block, 2));
        Lake.WriteFile("three", Random(6 * Block, 3));
        Lake.Settle();
        for (int block = 0; block < 250; block++)
        {
            Lake.FlipBit("many", block * Block);
        }

        Lake.FlipBit("one", 7);
        for (int block = 0; block < 6; block += 2)
        {
            Lake.FlipBit("three", block * Block);
        }

        CheckReport report = Lake.Verify(full: true);
        Assert.That(report.FindingCount, Is.EqualTo(report.Findings.Count).And.EqualTo(8));
        Assert.That(report.Findings.Count(f => f.Contains("/many)")), Is.EqualTo(4));
        Assert.That(report.Findings, Has.Some.EndsWith($"(/many): 247 more places of it are damaged, the last one at its bytes {249 * Block} to {(250 * Block) - 1}"));
        Assert.That(report.Findings, Has.One.Contains("/one)"));
        Assert.That(report.Findings.Count(f => f.Contains("/three)")), Is.EqualTo(3));
    }
}
