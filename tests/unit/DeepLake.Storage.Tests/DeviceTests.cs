// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;
using DeepLake.Sim;
using NUnit.Framework;

namespace DeepLake.Storage.Tests;

[TestFixture]
public sealed class DeviceTests
{
    private string _path = "";

    [SetUp]
    public void MakePath() => _path = Path.Combine(Path.GetTempPath(), $"deeplake-device-{Guid.NewGuid():N}.img");

    [TearDown]
    public void Remove() => File.Delete(_path);

    [Test]
    public void Direct_ReadsBackAnyRange_AlignedOrNot()
    {
        using DirectBlockDevice device = DirectBlockDevice.CreateImage(_path, 2 << 20);
        AgainstAnArray(device, 2 << 20);
    }

    [Test]
    public void Memory_ReadsBackAnyRange() => AgainstAnArray(new MemoryBlockDevice(2 << 20), 2 << 20);

    [Test]
    public void Overlay_ReadsBackAnyRange_AndLeavesTheInnerDeviceAlone()
    {
        var inner = new MemoryBlockDevice(2 << 20);
        AgainstAnArray(new ReadOnlyOverlayDevice(inner), 2 << 20);
        var all = new byte[2 << 20];
        inner.Read(all, 0);
        Assert.That(all.All(b => b == 0), Is.True);
    }

    [Test]
    public void Direct_SurvivesReopening()
    {
        using (DirectBlockDevice device = DirectBlockDevice.CreateImage(_path, 1 << 20))
        {
            device.Write("kept"u8, 5000);
            device.Flush();
        }
        using DirectBlockDevice again = DirectBlockDevice.Open(_path, readOnly: true);
        var bytes = new byte[4];
        again.Read(bytes, 5000);
        Assert.That(bytes, Is.EqualTo("kept"u8.ToArray()));
        Assert.That(again.LengthBytes, Is.EqualTo(1 << 20));
        Assert.That(Assert.Throws<StorageException>(() => again.Write(bytes, 0))!.Errno, Is.EqualTo(Errno.EROFS));
    }

    [Test]
    public void Open_OfAMissingDevice_SaysSo() =>
        Assert.That(Assert.Throws<StorageException>(() => DirectBlockDevice.Open(_path))!.Errno, Is.EqualTo(Errno.ENOENT));

    [TestCase(-1)]
    [TestCase(1 << 20)]
    [TestCase((1 << 20) - 100)]
    public void OutsideTheDevice_IsRefused(long offset)
    {
        using DirectBlockDevice direct = DirectBlockDevice.CreateImage(_path, 1 << 20);
        foreach (IBlockDevice device in (IBlockDevice[])[direct, new MemoryBlockDevice(1 << 20), new ReadOnlyOverlayDevice(new MemoryBlockDevice(1 << 20))])
        {
            Assert.That(Assert.Throws<StorageException>(() => device.Read(new byte[512], offset))!.Errno, Is.EqualTo(Errno.ENXIO));
            Assert.That(Assert.Throws<StorageException>(() => device.Write(new byte[512], offset))!.Errno, Is.EqualTo(Errno.ENXIO));
        }
    }

    [Test]
    public void Faulty_FailsExactlyTheChosenOperation()
    {
        var device = new FaultyBlockDevice(new MemoryBlockDevice(1 << 20), seed: 1, new FaultPlan { FailAtOperation = 2, FailWith = Errno.ENOSPC });
        device.Write(new byte[4096], 0);
        Assert.That(Assert.Throws<StorageException>(device.Flush)!.Errno, Is.EqualTo(Errno.ENOSPC));
        device.Flush();
    }

    /// <summary>What is behind the end of a file that became shorter cannot be read, as a bad sector.</summary>
    [TestCase(0)]
    [TestCase(100)]
    public void AReadThatIsOnlyTried_DoesNotLatch(int unaligned)
    {
        using DirectBlockDevice device = DirectBlockDevice.CreateImage(_path, 1 << 20);
        using (FileStream file = File.OpenWrite(_path))
        {
            file.SetLength(512 << 10);
        }
        using var buffer = new AlignedBuffer(2 * 4096);
        Span<byte> bytes = buffer.Slice(unaligned, 4096);
        Assert.That(device.TryRead(bytes, (600 << 10) + unaligned), Is.False);
        Assert.That(device.TryRead(bytes, (100 << 10) + unaligned), Is.True);
        var salvaging = new SalvagingDevice(device);
        bytes.Fill(1);
        salvaging.Read(bytes, 600 << 10);
        Assert.That(bytes.IndexOfAnyExcept((byte)0), Is.Negative);
        Assert.That(salvaging.Unreadable, Is.EqualTo(new long[] { 600 << 10 }));
        Assert.Throws<StorageException>(() => device.Read(new byte[4096], 600 << 10));
        Assert.Throws<StorageException>(() => device.TryRead(new byte[4096], 0), "a read that was needed does");
    }

    [Test]
    public void Faulty_PowerCut_KeepsWhatWasFlushed_AndLosesSectorsOfTheRest()
    {
        int kept = 0;
        for (int seed = 0; seed < 20; seed++)
        {
            var device = new FaultyBlockDevice(new MemoryBlockDevice(1 << 20), seed);
            device.Write(Filled(4096, 1), 0);
            device.Flush();
            device.Write(Filled(4096, 2), 0);
            device.Write(Filled(2048, 3), 0);
            device.CutPower();
            Assert.Throws<StorageException>(() => device.Read(new byte[1], 0));
            device.PowerOn();
            var after = new byte[4096];
            device.Read(after, 0);
            for (int sector = 0; sector < 8; sector++)
            {
                byte[] bytes = after.AsSpan(sector * 512, 512).ToArray();
                Assert.That(bytes.Distinct().Count(), Is.EqualTo(1), "a sector is never torn");
                Assert.That(bytes[0], Is.InRange(1, sector < 4 ? 3 : 2));
                kept += bytes[0] > 1 ? 1 : 0;
            }
        }
        Assert.That(kept, Is.InRange(20, 140));
    }

    private static byte[] Filled(int length, byte value)
    {
        var bytes = new byte[length];
        bytes.AsSpan().Fill(value);
        return bytes;
    }

    private static void AgainstAnArray(IBlockDevice device, int length)
    {
        var random = new Random(4);
        var model = new byte[length];
        for (int i = 0; i < 300; i++)
        {
            int count = random.Next(1, random.Next(3) == 0 ? 600_000 : 9000);
            int offset = random.Next(length - count);
            if (random.Next(3) == 0)
            {
                (count, offset) = ((count + 4095) & ~4095, offset & ~4095);
                count = Math.Min(count, length - offset);
            }
            if (random.Next(2) == 0)
            {
                random.NextBytes(model.AsSpan(offset, count));
                device.Write(model.AsSpan(offset, count), offset);
            }
            var read = new byte[count];
            device.Read(read, offset);
            Assert.That(read.AsSpan().SequenceEqual(model.AsSpan(offset, count)), Is.True);
        }
    }
}
