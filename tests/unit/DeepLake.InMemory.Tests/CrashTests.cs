// SPDX-License-Identifier: MPL-2.0
using NUnit.Framework;

namespace DeepLake.InMemory.Tests;

[TestFixture]
public sealed class CrashTests : LakeTest
{
    [Test]
    public void Crash_LosesWhatWasNotSynced_AndNothingElse()
    {
        Lake.WriteFile("replaced", Random(20 * Block, 1));
        Lake.WriteFile("deleted", Random(20 * Block, 2));
        Lake.Sync();
        Lake.WriteFile("replaced", Random(5 * Block, 3));
        Lake.Delete("deleted");
        Lake.WriteFile("new", "x"u8);
        Lake.Crash();
        Assert.That(Lake.List("/").Select(e => e.Name), Is.EqualTo(new[] { "replaced", "deleted" }));
        AssertSame(Lake.ReadFile("replaced"), Random(20 * Block, 1));
        AssertSame(Lake.ReadFile("deleted"), Random(20 * Block, 2));
        Assert.That(Lake.GetStats().ReplayedChanges, Is.GreaterThan(0));
        Lake.Crash();
        AssertSame(Lake.ReadFile("deleted"), Random(20 * Block, 2));
    }

    [Test]
    public void Crash_KeepsWhatWasSettledAndSynced()
    {
        Lake.WriteFile("a", Random(20 * Block));
        Lake.WriteFile("b", Random(20 * Block));
        Lake.Settle();
        Lake.Sync();
        Lake.Crash();
        LakeStats stats = Lake.GetStats();
        Assert.That((stats.StoredBytes, stats.CheckedBytes, stats.Identities), Is.EqualTo((20L * Block, 40L * Block, 2L)));
        Assert.That(Lake.Settle().Files, Is.Zero);
        AssertSame(Lake.ReadFile("b"), Random(20 * Block));
    }

    [Test]
    public void Reopen_KeepsEverything()
    {
        Lake.WriteFile("a", Random(20 * Block));
        Lake.Reopen();
        AssertSame(Lake.ReadFile("a"), Random(20 * Block));
        Assert.That(Lake.GetStats().ReplayedChanges, Is.Zero);
    }

    [Test]
    public void TheArchive_IsKeptWhenAskedFor()
    {
        using var lake = InMemoryLake.Create(new InMemoryLakeOptions { SizeBytes = InMemoryLakeOptions.MinSizeBytes, KeepsArchive = true });
        lake.WriteFile("a", Random(20 * Block));
        lake.Reopen();
        Assert.That((lake.GetStats().StoredBytes, lake.GetStats().ArchiveBytes > 0), Is.EqualTo((20L * Block, true)));
        Assert.That(lake.Verify(full: true).Findings, Is.Empty);
    }
}
