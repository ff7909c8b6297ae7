// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Scrub;

/// <summary>The next checked blocks of a lake, as of now.</summary>
/// <param name="Runs">In order.</param>
/// <param name="Next">Where to go on.</param>
public sealed record ScrubView(IReadOnlyList<ScrubRun> Runs, ScrubPosition Next)
{
    public static readonly ScrubView Empty = new([], ScrubPosition.End);
}
