// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Check;

/// <summary>What a check found; clean when <see cref="FindingCount"/> is zero.</summary>
public sealed record CheckReport
{
    public required IReadOnlyList<string> Findings { get; init; }

    public required long FindingCount { get; init; }

    public required ulong Pages { get; init; }

    public required ulong Inodes { get; init; }

    public required ulong Names { get; init; }

    public required ulong Orphans { get; init; }

    public required ulong Extents { get; init; }

    /// <summary>Device blocks in files, each counted once.</summary>
    public required ulong MappedBlocks { get; init; }

    /// <summary>Of these, blocks that several extents refer to.</summary>
    public required ulong SharedBlocks { get; init; }

    /// <summary>Blocks of files that are sealed, a shared one for each file.</summary>
    public required ulong SealedBlocks { get; init; }

    /// <summary>Of these, checked ones.</summary>
    public required ulong CheckedBlocks { get; init; }

    /// <summary>Files that have an identity.</summary>
    public required ulong Objects { get; init; }

    /// <summary>Data blocks read and compared with their checksum.</summary>
    public required ulong VerifiedBlocks { get; init; }

    public bool IsClean => FindingCount == 0;
}
