// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Sim;

/// <summary>How one seed ended.</summary>
/// <param name="Seed">Which.</param>
/// <param name="Kind">What it was about.</param>
/// <param name="Finding">What is wrong with the engine; null: nothing.</param>
/// <param name="IsRefused">The device lied and the lake was refused.</param>
/// <param name="Identities">Of files, compared with what the device holds.</param>
/// <param name="Shares">Ranges of files that were given the blocks of equal ones.</param>
/// <param name="SkewedShares">How many of these were of bytes that begin within a block.</param>
/// <param name="Remaps">Ranges of files that were given other places: in packs, or out of them.</param>
/// <param name="Unpackings">How many of these were out of packs.</param>
/// <param name="DamagedPacks">Of copies of the device; what files have in them was found.</param>
/// <param name="Scrubbed">Blocks of files, compared with their checksums by passes to their end.</param>
/// <param name="Hash">The same whenever the seed is run.</param>
internal sealed record SeedResult(int Seed, FaultKind Kind, string? Finding, bool IsRefused, long Identities, long Shares, long SkewedShares, long Remaps, long Unpackings, long DamagedPacks, long Scrubbed, ulong Hash)
{
    public static SeedResult Of(int seed, StoreKind store, Action<string>? log = null)
    {
        using var simulation = new Simulation(seed, store) { Log = log };
        string? finding = null;
        try
        {
            simulation.Run();
        }
        catch (Exception failure)
        {
            log?.Invoke(failure.ToString());
            finding = failure is SimulationException ? failure.Message : $"{failure.GetType().Name}: {failure.Message}";
        }

        return new SeedResult(seed, simulation.Kind, finding, simulation.IsRefused, simulation.Identities, simulation.Shares, simulation.SkewedShares, simulation.Remaps, simulation.Unpackings, simulation.DamagedPacks, simulation.Scrubbed, simulation.Hash);
    }
}
