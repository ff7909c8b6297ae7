// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.Format;

namespace DeepLake.Engine.Archive;

/// <summary>What a rebuild starts from and what it goes through, all of it read and found whole.</summary>
public sealed class RebuildPlan
{
    /// <summary>Where the regions of the lake are; of the newest segment.</summary>
    public required Superblock Superblock { get; init; }

    /// <summary>The parts of a base in order; none: the lake begins as mkfs made it.</summary>
    public required IReadOnlyList<ArchiveHeader> Base { get; init; }

    /// <summary>The log behind it, without a gap.</summary>
    public required IReadOnlyList<ArchiveHeader> Logs { get; init; }

    /// <summary>The first frame that is not in <see cref="Logs"/>.</summary>
    public required ulong ArchivedLsn { get; init; }

    /// <summary>Frames behind the archive that are still in the log's region: byte offsets there, in order.</summary>
    public required IReadOnlyList<long> Frames { get; init; }

    /// <summary>Where the next frame goes, behind <see cref="Frames"/>.</summary>
    public required ulong NextLsn { get; init; }

    /// <summary>Its byte offset in the region.</summary>
    public required long NextOffset { get; init; }

    /// <summary>The newest intent that comes back.</summary>
    public required ulong Seq { get; init; }

    /// <summary>The newest intent that anything on the device tells of; what is above <see cref="Seq"/> is lost.</summary>
    public required ulong KnownSeq { get; init; }

    /// <summary>Wall time of the newest segment that is used.</summary>
    public required DateTimeOffset ArchivedAt { get; init; }

    /// <summary>False when something of the log is known to be missing.</summary>
    public required bool IsComplete { get; init; }

    /// <summary>What was found damaged or left out, and what that costs.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    public Guid Uuid => SuperblockStore.UuidOf(Superblock);

    public string Label => SuperblockStore.LabelOf(Superblock);
}
