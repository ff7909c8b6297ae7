// SPDX-License-Identifier: MPL-2.0
using DeepLake.Laked.Scrub;
using DeepLake.Laked.Serve;
using DeepLake.Platform;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Laked.Tests;

/// <summary>A device latches its first failure; one bad sector must not hide the next.</summary>
[TestFixture]
public sealed class ReopenedDeviceTests
{
    [Test]
    public void AfterAFailure_ItIsOpenedAnew()
    {
        int opened = 0;
        using var device = new ReopenedDevice(() =>
        {
            opened++;
            return new LatchingDevice();
        });
        byte[] block = new byte[4096];
        device.Read(block, 0);
        Assert.That(() => device.Read(block, 4096), Throws.TypeOf<StorageException>());
        Assert.That(() => device.Read(block, 8192), Throws.Nothing);
        Assert.That(opened, Is.EqualTo(2));
    }

    private sealed class LatchingDevice : IBlockDevice
    {
        private bool _hasFailed;

        public long LengthBytes => 1 << 20;

        public void Read(Span<byte> buffer, long offset)
        {
            _hasFailed |= offset == 4096;
            if (_hasFailed)
            {
                throw new StorageException(Errno.EIO, "a bad sector");
            }
        }

        public void Write(ReadOnlySpan<byte> buffer, long offset)
        {
        }

        public void Flush()
        {
        }

        public void Dispose()
        {
        }
    }
}
