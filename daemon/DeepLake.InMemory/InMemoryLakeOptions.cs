// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.InMemory;

/// <summary>How a lake in memory is made.</summary>
public sealed record InMemoryLakeOptions
{
    /// <summary>The least that <see cref="SizeBytes"/> may be.</summary>
    public const long MinSizeBytes = 96L << 20;

    /// <summary>
    /// Bytes of the device: files, log and metadata together, <see cref="MinSizeBytes"/> at least. Memory is
    /// taken for what has been written, in pieces of 256 KiB, and never more than this.
    /// </summary>
    public long SizeBytes { get; init; } = 256L << 20;

    /// <summary>At most 64 bytes of UTF-8.</summary>
    public string Label { get; init; } = "";

    /// <summary>The lake's identity; a random one when null.</summary>
    public Guid? Uuid { get; init; }

    /// <summary>Where the times of files come from.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Where the generation numbers of inodes come from; with a seed they are the same each time.</summary>
    public Random Generations { get; init; } = new();

    /// <summary>
    /// Keeps the archive of the log among the files' blocks (docs/archive.md), as a lake on a disk does. It
    /// protects from damaged metadata, which memory does not get; without it the room is the files'.
    /// </summary>
    public bool KeepsArchive { get; init; }
}
