// SPDX-License-Identifier: MPL-2.0
using DeepLake.Laked.Ingest;
using DeepLake.Platform;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Laked.Tests;

[TestFixture]
public sealed class GatedDeviceTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private SlowDevice _inner = null!;
    private GatedDevice _device = null!;

    [SetUp]
    public void SetUp()
    {
        _inner = new SlowDevice();
        _device = new GatedDevice(_inner);
    }

    [TearDown]
    public void TearDown() => _device.Dispose();

    [Test]
    public void Calls_ReachTheDevice_UntilItIsClosed()
    {
        _device.Write(new byte[16], 0);
        _device.Read(new byte[16], 0);
        _device.Flush();
        Assert.That(_inner.Calls, Is.EqualTo(3));
        Assert.That(_device.BusyTime, Is.GreaterThan(TimeSpan.Zero));

        _device.Close();
        foreach (Action call in (Action[])[() => _device.Read(new byte[16], 0), () => _device.Write(new byte[16], 0), () => _device.Flush()])
        {
            Assert.That(call, Throws.TypeOf<StorageException>().With.Property(nameof(StorageException.Errno)).EqualTo(Errno.ESTALE));
        }

        Assert.That(_inner.Calls, Is.EqualTo(3));
        Assert.That(_inner.IsDisposed, Is.False, "closed, not given up");
    }

    [Test]
    public void Close_ReturnsOnly_WhenNothingIsUnderWay()
    {
        _inner.Hold.Reset();
        var reader = new Thread(() => _device.Read(new byte[16], 0));
        reader.Start();
        Assert.That(_inner.Entered.Wait(Patience), Is.True);
        var closer = new Thread(_device.Close);
        closer.Start();
        Assert.That(closer.Join(TimeSpan.FromMilliseconds(200)), Is.False, "the read is under way");
        _inner.Hold.Set();
        Assert.That(closer.Join(Patience) && reader.Join(Patience), Is.True);
    }

    private sealed class SlowDevice : IBlockDevice
    {
        public ManualResetEventSlim Hold { get; } = new(initialState: true);

        public ManualResetEventSlim Entered { get; } = new();

        public int Calls { get; private set; }

        public bool IsDisposed { get; private set; }

        public long LengthBytes => 4096;

        public void Read(Span<byte> buffer, long offset) => Call();

        public void Write(ReadOnlySpan<byte> buffer, long offset) => Call();

        public void Flush() => Call();

        public void Dispose() => IsDisposed = true;

        private void Call()
        {
            Calls++;
            Entered.Set();
            Hold.Wait(Patience);
        }
    }
}
