// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;

namespace DeepLake.Sim;

/// <summary>Looks for the first seed that finds a planted defect.</summary>
internal static class PlantedSearch
{
    private const int Batch = 16;

    /// <summary>Null: none of so many seeds. The defect is gone again afterwards.</summary>
    public static SeedResult? First(PlantedFault fault, int from, int count)
    {
        Planted.Fault = fault;
        try
        {
            for (int at = from; at < from + count; at += Batch)
            {
                var results = new SeedResult[Math.Min(Batch, from + count - at)];
                int start = at;
                Parallel.For(0, results.Length, i => results[i] = SeedResult.Of(start + i, StoreKind.Twin));
                if (results.FirstOrDefault(r => r.Finding is not null) is { } found)
                {
                    return found;
                }
            }

            return null;
        }
        finally
        {
            Planted.Fault = PlantedFault.None;
        }
    }
}
