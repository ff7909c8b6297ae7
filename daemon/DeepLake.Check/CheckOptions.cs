// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Check;

/// <summary>How thorough a check is.</summary>
public sealed record CheckOptions
{
    /// <summary>Also reads every data block whose checksum is known, in the tree or in the checksum table, and compares the identities of files. Only for a lake at rest.</summary>
    public bool Full { get; init; }

    /// <summary>Findings about the structure beyond this many are counted but not described.</summary>
    public int MaxFindings { get; init; } = 100;

    /// <summary>The same of findings about data.</summary>
    public int MaxDamage { get; init; } = 10_000;

    /// <summary>Damaged places of a file that are described one by one; the others are one finding.</summary>
    public int PlacesPerFile { get; init; } = 3;
}
