// SPDX-License-Identifier: MPL-2.0
using DeepLake.Engine.Scrub;
using DeepLake.Laked.Scrub;
using NUnit.Framework;

namespace DeepLake.Laked.Tests;

[TestFixture]
public sealed class DamagedReadsTests
{
    [Test]
    public void ABlock_IsKeptOnce_AndCounted()
    {
        var reads = new DamagedReads();
        Assert.That(reads.Add(5, 10), Is.True);
        Assert.That(reads.Add(5, 11), Is.False);
        Assert.That(reads.Unresolved(), Is.EqualTo(new[] { 5ul }));
        reads.Resolve(5, [new ScrubRun(20, 1, 5, 1, false)]);
        Assert.That(reads.Add(5, 12), Is.False);
        Assert.That(reads.Unresolved(), Is.Empty);
        DamagedReads.Met met = reads.Copy().Single();
        Assert.That((met.Times, met.LastSec, met.Holders!.Count), Is.EqualTo((3ul, 12ul, 1)));
    }

    [Test]
    public void ABlockThatIsMetMuchLater_IsLookedUpAgain()
    {
        var reads = new DamagedReads();
        reads.Add(5, 10);
        reads.Resolve(5, []);
        Assert.That(reads.Add(5, 10 + DamagedReads.SecondsUntilOld), Is.True);
        Assert.That(reads.Unresolved(), Is.EqualTo(new[] { 5ul }));
        Assert.That(reads.Copy().Single().Times, Is.EqualTo(2ul));
    }

    [Test]
    public void TheList_IsBounded()
    {
        var reads = new DamagedReads();
        for (ulong block = 1; block <= DamagedReads.Most; block++)
        {
            Assert.That(reads.Add(block, 1), Is.True);
        }

        Assert.That(reads.Add(9999, 1), Is.False);
        Assert.That(reads.Add(3, 2), Is.False);
        Assert.That(reads.Copy().Single(m => m.Block == 3).Times, Is.EqualTo(2ul));
        Assert.That(reads.Copy(), Has.Count.EqualTo(DamagedReads.Most));
    }
}
