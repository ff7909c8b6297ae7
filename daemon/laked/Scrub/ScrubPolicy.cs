// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Laked.Scrub;

/// <summary>How the scrub behaves when nobody says how: all of it that is a matter of taste.</summary>
internal static class ScrubPolicy
{
    // As the ingest: nobody waits for it.
    private const long BytesPerSecondAtRest = 32 << 20;
    private const long BytesPerSecondBusy = 1 << 20;

    /// <summary>What a look at the maps costs beside the bytes that it leads to.</summary>
    public const int BytesPerLook = 16 << 10;

    /// <summary>How often its position is written down.</summary>
    public static readonly TimeSpan SaveInterval = TimeSpan.FromMinutes(1);

    /// <summary>Until it tries again what failed.</summary>
    public static readonly TimeSpan RetryPause = TimeSpan.FromMinutes(1);

    /// <summary>Who says how fast means it, also while others use the lake.</summary>
    public static long BytesPerSecond(ulong asked, bool isBusy) =>
        asked > 0 ? (long)Math.Min(asked, long.MaxValue) : isBusy ? BytesPerSecondBusy : BytesPerSecondAtRest;
}
