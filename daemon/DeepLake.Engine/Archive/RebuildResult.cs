// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Archive;

/// <summary>What a rebuild did.</summary>
public sealed record RebuildResult
{
    public required ulong Inodes { get; init; }

    /// <summary>The newest intent that came back.</summary>
    public required ulong Seq { get; init; }

    /// <summary>Data blocks read and compared.</summary>
    public required ulong BlocksRead { get; init; }

    /// <summary>Blocks that are not what was recorded: reading them gives EIO.</summary>
    public required ulong DamagedBlocks { get; init; }

    /// <summary>Entries of the checksum table that were wrong while the file's identity proved its data.</summary>
    public required ulong MendedSums { get; init; }

    /// <summary>Blocks whose checksums are lost and of which nothing else tells: taken as they are.</summary>
    public required ulong UnprovenBlocks { get; init; }

    /// <summary>The first thousand files that have such blocks.</summary>
    public required IReadOnlyList<UnprovenFile> UnprovenFiles { get; init; }
}
