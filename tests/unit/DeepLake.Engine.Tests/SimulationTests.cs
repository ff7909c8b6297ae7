// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;
using DeepLake.Sim;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>The quick form of <c>make sim-soak</c> and <c>make sim-planted</c> (docs/testing.md).</summary>
[TestFixture]
public sealed class SimulationTests
{
    private const int Seeds = 200;

    [Test]
    public void Seeds_FindNothing()
    {
        var results = new SeedResult[Seeds];
        Parallel.For(0, Seeds, i => results[i] = SeedResult.Of(i + 1, StoreKind.Twin));
        AssertNothing(results, StoreKind.Twin);
        Assert.That(results.Select(r => r.Kind).Distinct(), Is.EquivalentTo(Enum.GetValues<FaultKind>()));
        Assert.That(results.Any(r => r.IsRefused), Is.True, "no damage was ever refused: the instrument is blind");
        Assert.That(results.Sum(r => r.Identities), Is.GreaterThan(Seeds), "hardly any identity was compared: the instrument is blind");
        Assert.That(results.Sum(r => r.Shares), Is.GreaterThan(Seeds / 4), "hardly anything was shared: the instrument is blind");
        Assert.That(results.Sum(r => r.Remaps), Is.GreaterThan(Seeds * 3), "hardly anything was packed: the instrument is blind");
        Assert.That(results.Sum(r => r.Unpackings), Is.GreaterThan(Seeds / 4), "hardly anything was unpacked: the instrument is blind");
        Assert.That(results.Sum(r => r.DamagedPacks), Is.GreaterThan(Seeds / 4), "hardly any pack was damaged: the instrument is blind");
        Assert.That(results.Sum(r => r.Scrubbed), Is.GreaterThan(Seeds * 10), "hardly anything was scrubbed: the instrument is blind");
    }

    [Test]
    public void Seeds_OnTheRealPageStore_FindNothing() =>
        AssertNothing([.. Enumerable.Range(1, 6).Select(seed => SeedResult.Of(seed, StoreKind.Faster))], StoreKind.Faster);

    [TestCaseSource(typeof(SimCases), nameof(SimCases.All))]
    public void ASeedThatOnceFailed_FindsNothing(int seed, StoreKind store) =>
        AssertNothing([SeedResult.Of(seed, store)], store);

    [TestCase(3)]
    [TestCase(12)]
    public void ASeed_AlwaysDoesTheSame(int seed) =>
        Assert.That(SeedResult.Of(seed, StoreKind.Twin), Is.EqualTo(SeedResult.Of(seed, StoreKind.Twin)));

    /// <summary>A few that come quickly; <c>make sim-planted</c> looks for all of them.</summary>
    [TestCase(nameof(PlantedFault.CommitWithoutFlushAfter))]
    [TestCase(nameof(PlantedFault.FreedBlocksNotHeld))]
    [TestCase(nameof(PlantedFault.ThirdReferenceNotCounted))]
    [TestCase(nameof(PlantedFault.ReplaySkipsAnEntry))]
    [TestCase(nameof(PlantedFault.SuperblockBeforeTicket))]
    [TestCase(nameof(PlantedFault.EvictedPageLost))]
    public void APlantedDefect_IsFound(string fault) =>
        Assert.That(PlantedSearch.First(Enum.Parse<PlantedFault>(fault), 1, 100), Is.Not.Null);

    private static void AssertNothing(SeedResult[] results, StoreKind store) => Assert.That(
        results.Where(r => r.Finding is not null).Select(r => $"{r.Finding} ({Replay.Command(r.Seed, store)})"), Is.Empty);
}
