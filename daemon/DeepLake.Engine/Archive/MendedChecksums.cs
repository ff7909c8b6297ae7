// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Archive;

/// <summary>What became of a checksum table that was lost in places.</summary>
/// <param name="BlocksRead">Data blocks read and compared.</param>
/// <param name="DamagedBlocks">Blocks that are not what was recorded: reading them gives EIO, as before.</param>
/// <param name="MendedSums">Entries written anew as the file's identity proves the data.</param>
/// <param name="UnprovenBlocks">Entries written anew although nothing else tells of the data: taken as it is.</param>
/// <param name="UnprovenFiles">The first thousand files that have such blocks.</param>
public sealed record MendedChecksums(
    ulong BlocksRead, ulong DamagedBlocks, ulong MendedSums, ulong UnprovenBlocks, IReadOnlyList<UnprovenFile> UnprovenFiles);
