// SPDX-License-Identifier: MPL-2.0
using NUnit.Framework;

namespace DeepLake.InMemory.Tests;

/// <summary>To be read: what a lake in memory is for (docs/in-memory.md).</summary>
[TestFixture]
public sealed class ExampleTests
{
    [Test]
    public void ALakeInMemory_StoresEqualFilesOnce_ProvesThem_AndOpensAgain()
    {
        // A megabyte that somebody writes to two places.
        byte[] photo = new byte[1 << 20];
        new Random(1).NextBytes(photo);

        using var lake = InMemoryLake.Create(new InMemoryLakeOptions { SizeBytes = 128 << 20, Label = "example" });
        lake.CreateDirectory("/photos");
        lake.CreateDirectory("/backup");
        lake.WriteFile("/photos/cat.raw", photo);
        lake.WriteFile("/backup/cat.raw", photo);
        Assert.That(lake.GetStats().StoredBytes, Is.EqualTo(2 << 20));

        // What the daemon does when nobody has changed a file for a while: checksums, identities, sharing.
        SettleResult settled = lake.Settle();
        Assert.That(settled.Damaged, Is.Empty);

        LakeStats stats = lake.GetStats();
        Assert.That(stats.LogicalBytes, Is.EqualTo(2 << 20));
        Assert.That(stats.StoredBytes, Is.EqualTo(1 << 20));
        Assert.That(stats.SavedBytes, Is.EqualTo(1 << 20));
        Assert.That(lake.HashOf("/photos/cat.raw"), Is.EqualTo(lake.HashOf("/backup/cat.raw")));

        // The checker, which shares no code with what wrote the lake, finds nothing.
        Assert.That(lake.Verify(full: true).Findings, Is.Empty);

        // Closed and opened again: it is the same lake. A power cut leaves what was synced.
        lake.Reopen();
        Assert.That(lake.ReadFile("/photos/cat.raw"), Is.EqualTo(photo));
        lake.WriteFile("/photos/synced", "kept"u8);
        lake.Sync();
        lake.WriteFile("/photos/not synced", "lost"u8);
        lake.Crash();
        Assert.That(lake.List("/photos").Select(e => e.Name), Is.EqualTo(new[] { "cat.raw", "synced" }));
        Assert.That(lake.ReadFile("/backup/cat.raw"), Is.EqualTo(photo));
        Assert.That(lake.Verify(full: true).Findings, Is.Empty);
    }
}
