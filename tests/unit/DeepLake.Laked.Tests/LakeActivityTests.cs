// SPDX-License-Identifier: MPL-2.0
using DeepLake.Laked.Ingest;
using NUnit.Framework;
using Counters = DeepLake.Laked.Ingest.LakeActivity.Counters;

namespace DeepLake.Laked.Tests;

[TestFixture]
public sealed class LakeActivityTests
{
    private LakeActivity _activity = null!;
    private Counters _counters;

    [SetUp]
    public void SetUp()
    {
        _activity = new LakeActivity();
        _counters = new Counters(Ms(1000), 5000, 10, Ms(700), Ms(600));
        Assert.That(_activity.Look(_counters), Is.False, "nothing is known at first");
    }

    [Test]
    public void IntentsOfOthers_MakeItBusy_UntilTheyStop()
    {
        Assert.That(Later(intents: 50), Is.True);
        Assert.That(Later(intents: 0), Is.False);
    }

    [Test]
    public void FewIntents_AreNoMatter() => Assert.That(Later(intents: LakeActivity.IntentsOfBusy - 1), Is.False);

    [Test]
    public void OwnIntents_DoNotCount()
    {
        Assert.That(Later(intents: 50, own: 50), Is.False);
        Assert.That(Later(intents: 54, own: 50), Is.True);
    }

    [Test]
    public void TheDevice_UsedByOthers_MakesItBusy()
    {
        Assert.That(Later(deviceMs: 90), Is.True);
        Assert.That(Later(deviceMs: 90, ownDeviceMs: 85), Is.False);
        Assert.That(Later(deviceMs: 90, ownDeviceMs: 400), Is.False, "own use may be counted too high");
    }

    [Test]
    public void ALook_AtTheSameInstant_ChangesNothing()
    {
        Later(intents: 50);
        Assert.That(_activity.Look(_counters), Is.True);
        Assert.That(_activity.IsBusy, Is.True);
    }

    private bool Later(ulong intents = 0, ulong own = 0, double deviceMs = 0, double ownDeviceMs = 0)
    {
        _counters = new Counters(
            _counters.Now + Ms(100),
            _counters.Seq + intents,
            _counters.OwnIntents + own,
            _counters.DeviceBusy + Ms(deviceMs),
            _counters.OwnDevice + Ms(ownDeviceMs));
        return _activity.Look(_counters);
    }

    private static TimeSpan Ms(double ms) => TimeSpan.FromMilliseconds(ms);
}
