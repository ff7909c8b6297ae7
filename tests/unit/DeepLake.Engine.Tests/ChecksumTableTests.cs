// SPDX-License-Identifier: MPL-2.0
using DeepLake.Engine.Ingest;
using DeepLake.Platform;
using DeepLake.Sim;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>The checksum table as it is kept on the device.</summary>
[TestFixture]
public sealed class ChecksumTableTests : LakeFixture
{
    public ChecksumTableTests()
        : base(areNamed: true)
    {
    }

    [Test]
    public void ABlockThatCouldNotBeRead_IsReadAgain_NotTakenForZeroes()
    {
        using (var written = new ChecksumTable(Device, Engine.Superblock))
        {
            written.Stage(Data, [5u, 6u]);
            written.Store();
        }

        using var faulty = new FaultyBlockDevice(Device, 1, new FaultPlan { FailAtOperation = 1, FailCount = 1, FailWith = Errno.EIO });
        using var table = new ChecksumTable(faulty, Engine.Superblock);
        Assert.Throws<StorageException>(() => _ = table[Data]);
        Assert.That(table[Data], Is.EqualTo(5u));
        table.Stage(Data, [7u]);
        table.Store();
        Assert.That(new ChecksumTable(Device, Engine.Superblock)[Data + 1], Is.EqualTo(6u), "its neighbour is what it was");
    }
}
