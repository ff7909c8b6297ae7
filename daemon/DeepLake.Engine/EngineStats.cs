// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine;

/// <summary>A snapshot of one lake's numbers; blocks are 4096 bytes.</summary>
public sealed record EngineStats
{
    public required Guid Uuid { get; init; }

    public required string Label { get; init; }

    public required bool WasClean { get; init; }

    public required ulong ReplayedIntents { get; init; }

    /// <summary>The newest checkpoint was damaged; the one before it and a longer log gave the state.</summary>
    public required bool FellBack { get; init; }

    public required ulong Epoch { get; init; }

    public required ulong MountCount { get; init; }

    public required ulong AppliedSeq { get; init; }

    public required ulong DurableSeq { get; init; }

    public required ulong DeviceBlocks { get; init; }

    public required ulong DataBlocks { get; init; }

    public required ulong UsedBlocks { get; init; }

    public required ulong FreeBlocks { get; init; }

    public required ulong QuarantinedBlocks { get; init; }

    /// <summary>What the mount may write to next; with the used, the free and the quarantined these are all.</summary>
    public required ulong LeasedBlocks { get; init; }

    /// <summary>Of the used blocks, those that several extents refer to.</summary>
    public required ulong SharedBlocks { get; init; }

    /// <summary>What these would take more without sharing.</summary>
    public required ulong SavedBlocks { get; init; }

    /// <summary>Blocks of files that are not written in place any more, a shared one for each file.</summary>
    public required ulong SealedBlocks { get; init; }

    /// <summary>Of these, those of which every read is compared with a checksum.</summary>
    public required ulong CheckedBlocks { get; init; }

    /// <summary>Blocks of files that are mapped, a shared one for each file.</summary>
    public required ulong MappedBlocks { get; init; }

    /// <summary>Of these, those that are packed.</summary>
    public required ulong PackedBlocks { get; init; }

    /// <summary>Of the used blocks, those of packs.</summary>
    public required ulong PackBlocks { get; init; }

    /// <summary>Files whose content has been given an identity; of some of them it has changed since.</summary>
    public required ulong Objects { get; init; }

    public required ulong Inodes { get; init; }

    public required ulong Orphans { get; init; }

    /// <summary>Of the used blocks, those of the archive.</summary>
    public required ulong ArchiveBlocks { get; init; }

    /// <summary>The newest intent that is archived.</summary>
    public required ulong ArchivedSeq { get; init; }

    /// <summary>What is newer is not archived before the next base.</summary>
    public required bool ArchiveIsInterrupted { get; init; }

    public required ulong MetadataPages { get; init; }

    public required ulong MetadataCapacityPages { get; init; }

    public required ulong WalBytesUsed { get; init; }

    public required ulong WalBytes { get; init; }

    public required ulong Commits { get; init; }

    public required ulong Checkpoints { get; init; }
}
