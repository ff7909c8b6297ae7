// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.InMemory;

/// <summary>What settling a lake came to.</summary>
public sealed record SettleResult
{
    /// <summary>Files that had something to be done with: checksums, identity, or sharing.</summary>
    public required int Files { get; init; }

    /// <summary>A path of each file of which bytes are damaged.</summary>
    public required IReadOnlyList<string> Damaged { get; init; }

    /// <summary>Files that could not be finished, for their damage or as metadata has no room.</summary>
    public required int Unfinished { get; init; }
}
