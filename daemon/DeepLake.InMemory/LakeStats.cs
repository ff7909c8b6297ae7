// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.InMemory;

/// <summary>What a lake holds, in bytes of whole blocks of 4096, metadata and log apart.</summary>
public sealed record LakeStats
{
    /// <summary>What all files map, each counted for itself; holes are not in it.</summary>
    public required long LogicalBytes { get; init; }

    /// <summary>What that takes.</summary>
    public required long StoredBytes { get; init; }

    /// <summary>Of what is stored, what several files map, or one in several places.</summary>
    public required long SharedBytes { get; init; }

    /// <summary>What sharing saves: logical without stored.</summary>
    public long SavedBytes => LogicalBytes - StoredBytes;

    /// <summary>Of what is logical, what every read compares with the checksum table.</summary>
    public required long CheckedBytes { get; init; }

    /// <summary>What files can have in all.</summary>
    public required long CapacityBytes { get; init; }

    /// <summary>What is left for files, once the changes so far are durable.</summary>
    public required long FreeBytes { get; init; }

    /// <summary>What the archive has, if it is kept.</summary>
    public required long ArchiveBytes { get; init; }

    /// <summary>Files, directories (the root too) and symbolic links.</summary>
    public required long Inodes { get; init; }

    /// <summary>Files that have been given the hash of their content; some may have changed since.</summary>
    public required long Identities { get; init; }

    /// <summary>Changes so far, and how many of them a power cut would leave.</summary>
    public required ulong AppliedSeq { get; init; }

    public required ulong DurableSeq { get; init; }

    /// <summary>Changes that were taken from the log when the lake was opened last.</summary>
    public required ulong ReplayedChanges { get; init; }
}
