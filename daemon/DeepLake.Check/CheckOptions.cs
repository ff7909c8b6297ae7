// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Check;

/// <summary>How thorough a check is.</summary>
public sealed record CheckOptions
{
    /// <summary>Also reads every data block whose checksum is known, in the tree or in the checksum table, and compares the identities of files. Only for a lake at rest.</summary>
    public bool Full { get; init; }

    /// <summary>Findings beyond this many are counted but not described.</summary>
    public int MaxFindings { get; init; } = 100;
}
