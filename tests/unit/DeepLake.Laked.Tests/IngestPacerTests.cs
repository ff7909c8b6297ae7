// SPDX-License-Identifier: MPL-2.0
using DeepLake.Laked.Ingest;
using NUnit.Framework;

namespace DeepLake.Laked.Tests;

[TestFixture]
public sealed class IngestPacerTests
{
    private const int MiB = 1 << 20;

    private TimeSpan _now;
    private Func<TimeSpan, bool> _isBusyAt = null!;
    private bool _ends;
    private IngestPacer _pacer = null!;

    [SetUp]
    public void SetUp()
    {
        (_now, _ends) = (TimeSpan.Zero, false);
        _isBusyAt = _ => false;
        _pacer = new IngestPacer(() => _now, Wait, () => _isBusyAt(_now));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Allow_KeepsToTheRate(bool isBusy)
    {
        _isBusyAt = _ => isBusy;
        for (int i = 0; i < 101; i++)
        {
            _pacer.Allow(MiB);
        }

        double expected = 100.0 * MiB / IngestPolicy.BytesPerSecond(isBusy);
        Assert.That(_now.TotalSeconds, Is.EqualTo(expected).Within(0.03 * expected));
    }

    [Test]
    public void Allow_AtFirst_OrAfterARest_DoesNotWait()
    {
        _pacer.Allow(MiB);
        Assert.That(_now, Is.EqualTo(TimeSpan.Zero));
        _now += TimeSpan.FromSeconds(10);
        TimeSpan before = _now;
        _pacer.Allow(MiB);
        Assert.That(_now, Is.EqualTo(before));
    }

    [Test]
    public void Allow_WhenProgramsStopMeanwhile_GoesOnFast()
    {
        _isBusyAt = at => at < TimeSpan.FromSeconds(1);
        _pacer.Allow(64 * MiB);
        _pacer.Allow(MiB);
        Assert.That(_now.TotalSeconds, Is.InRange(2.8, 3.2), "one second of it was slow, 63 MiB were left");
    }

    [Test]
    public void Allow_WhenItIsToEnd_WaitsNoLonger()
    {
        _pacer.Allow(64 * MiB);
        _ends = true;
        _pacer.Allow(MiB);
        Assert.That(_now, Is.LessThanOrEqualTo(IngestPolicy.LookInterval));
    }

    private bool Wait(TimeSpan time)
    {
        Assert.That(time, Is.GreaterThan(TimeSpan.Zero).And.LessThanOrEqualTo(IngestPolicy.LookInterval));
        Assert.That(time.Ticks % TimeSpan.TicksPerMillisecond, Is.Zero, "waits are in milliseconds: parts of one would be a busy loop");
        _now += time;
        return _ends;
    }
}
