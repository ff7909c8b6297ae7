// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Engine.Scrub;

/// <summary>How far the scrub of a lake was at some moment; a copy, any thread may have it.</summary>
/// <param name="Item">Its count of findings is the engine's to fill in.</param>
/// <param name="Findings">All that are kept; the first of them become durable.</param>
public sealed record ScrubRecord(ScrubItem Item, IReadOnlyList<ScrubFinding> Findings)
{
    public static readonly ScrubRecord None = new(default, []);

    /// <summary>Ranges that were found and are not kept.</summary>
    public ulong LeftOut { get; init; }
}
