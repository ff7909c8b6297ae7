// SPDX-License-Identifier: MPL-2.0
using DeepLake.Laked.Ingest;
using NUnit.Framework;

namespace DeepLake.Laked.Tests;

[TestFixture]
public sealed class IngestPolicyTests
{
    private const ulong Ino = 7;

    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(30);

    private IngestPolicy _policy = null!;

    [SetUp]
    public void SetUp() => _policy = new IngestPolicy(Quiet);

    [Test]
    public void QuietOf_IsTwiceAsLong_WithEveryRewrite_ButBounded()
    {
        var seen = new List<double>();
        for (int i = 0; i < 10; i++)
        {
            seen.Add(_policy.QuietOf(Ino) / Quiet);
            _policy.NoteRewrite(Ino);
        }

        Assert.That(seen, Is.EqualTo(new double[] { 1, 2, 4, 8, 16, 32, 64, 128, 128, 128 }));
        Assert.That(_policy.QuietOf(Ino + 1), Is.EqualTo(Quiet), "another file");
    }

    [Test]
    public void IsToBeUnsealed_AfterFourRewrites_AndOnceOnly()
    {
        for (int i = 0; i < 4; i++)
        {
            Assert.That(_policy.IsToBeUnsealed(Ino), Is.False, $"{i} rewrites");
            _policy.NoteRewrite(Ino);
        }

        Assert.That(_policy.IsToBeUnsealed(Ino), Is.True);
        _policy.NoteUnsealed(Ino);
        Assert.That(_policy.IsToBeUnsealed(Ino), Is.False);
        Assert.That(_policy.QuietOf(Ino), Is.EqualTo(Quiet * 128), "it is left alone");
    }

    [Test]
    public void NoteRewrite_OfMoreFilesThanItRemembers_ForgetsInsteadOfGrowing()
    {
        for (ulong ino = 0; ino < 4097; ino++)
        {
            _policy.NoteRewrite(ino);
        }

        Assert.That(_policy.QuietOf(0), Is.EqualTo(Quiet));
        Assert.That(_policy.QuietOf(4096), Is.EqualTo(Quiet * 2));
    }

    [Test]
    public void Rates_AreLower_WhenTheLakeIsBusy_AndNeverNothing()
    {
        Assert.That(IngestPolicy.BytesPerSecond(isBusy: true), Is.GreaterThan(0));
        Assert.That(IngestPolicy.BytesPerSecond(isBusy: true) * 16, Is.LessThan(IngestPolicy.BytesPerSecond(isBusy: false)));
        Assert.That(IngestPolicy.ScanPause(isBusy: true), Is.GreaterThan(IngestPolicy.ScanPause(isBusy: false)));
    }

    [TestCase(0.04, 100)]
    [TestCase(2, 500)]
    [TestCase(30, 5000)]
    public void Tick_IsAQuarterOfTheQuietTime_WithinBounds(double quietSeconds, double tickMs) =>
        Assert.That(new IngestPolicy(TimeSpan.FromSeconds(quietSeconds)).Tick.TotalMilliseconds, Is.EqualTo(tickMs));
}
