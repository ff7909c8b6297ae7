// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Sim;

internal static class Replay
{
    /// <summary>The one line that runs a seed again.</summary>
    public static string Command(int seed, StoreKind store) =>
        store == StoreKind.Twin ? $"make sim SEED={seed}" : $"make sim SEED={seed} STORE=faster";
}
