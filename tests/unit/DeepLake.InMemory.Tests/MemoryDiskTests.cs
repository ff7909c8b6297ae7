// SPDX-License-Identifier: MPL-2.0
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.InMemory.Tests;

[TestFixture]
public sealed class MemoryDiskTests
{
    [Test]
    public void APowerCut_TakesWhatWasWrittenSinceTheLastFlush_AndNothingElse()
    {
        using var disk = new MemoryDisk(1 << 20);
        byte[] ones = [.. Enumerable.Repeat((byte)1, 12000)];
        byte[] twos = [.. Enumerable.Repeat((byte)2, 12000)];
        disk.Write(ones, 4000);
        disk.Flush();
        disk.Write(twos, 8000);
        disk.Write(ones, 9000);
        disk.Write(twos, 500_000);
        disk.CutPower();
        byte[] found = new byte[1 << 20];
        disk.Read(found, 0);
        byte[] expected = new byte[1 << 20];
        ones.CopyTo(expected, 4000);
        Assert.That(found.AsSpan().SequenceEqual(expected), Is.True);
        disk.CutPower();
        disk.Read(found, 0);
        Assert.That(found.AsSpan().SequenceEqual(expected), Is.True);
    }

    [Test]
    public void ABitThatFlips_IsNotAWrite()
    {
        using var disk = new MemoryDisk(1 << 20);
        disk.FlipBit(77);
        disk.CutPower();
        byte[] found = new byte[1];
        disk.Read(found, 77);
        Assert.That(found[0], Is.EqualTo(1));
        Assert.That(() => disk.Write(new byte[2], (1 << 20) - 1), Throws.InstanceOf<StorageException>());
    }
}
