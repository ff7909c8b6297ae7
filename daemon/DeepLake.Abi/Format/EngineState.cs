// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>Engine-wide state, inside the tree so that checkpoints carry it.</summary>
[CStruct("lakefs_engine_state")]
[StructLayout(LayoutKind.Sequential)]
public struct EngineState
{
    public ulong AppliedSeq;
    public ulong Epoch;
    /// <summary>Above every ino ever seen.</summary>
    public ulong NextIno;
    /// <summary>Data blocks mapped, each counted once.</summary>
    public ulong UsedBlocks;
    public ulong InodeCount;
    public ulong OrphanCount;
    /// <summary>Blocks that several extents refer to.</summary>
    public ulong SharedBlocks;
    /// <summary>What these would take more without sharing: the sum of their references, less one each.</summary>
    public ulong SavedBlocks;
    /// <summary>Blocks of files that are sealed, a shared one for each file.</summary>
    public ulong SealedBlocks;
    /// <summary>Of them, those that are checked.</summary>
    public ulong CheckedBlocks;
    /// <summary>Applied when the newest mount began that followed an unclean end: an in-place write before may be unknown.</summary>
    public ulong UncleanSeq;
    /// <summary>Object items.</summary>
    public ulong Objects;
    /// <summary>Number of the archive's next segment.</summary>
    public ulong ArchiveNumber;
    /// <summary>Of the newest base's first segment; 0: the lake as mkfs made it.</summary>
    public ulong ArchiveBase;
    /// <summary>The first frame that is not archived; 0: interrupted until the next base.</summary>
    public ulong ArchiveLsn;
    /// <summary>Its byte offset inside the log's region.</summary>
    public ulong ArchiveOffset;
    /// <summary>The newest intent that is archived.</summary>
    public ulong ArchiveSeq;
    /// <summary>Used blocks that segments take.</summary>
    public ulong ArchiveBlocks;
    /// <summary>Of reading the log since the newest base, in bytes.</summary>
    public ulong ArchiveCost;
    /// <summary>Blocks of files that are mapped, a shared one for each file.</summary>
    public ulong MappedBlocks;
    /// <summary>Of them, those that are packed.</summary>
    public ulong PackedBlocks;
    /// <summary>Used blocks that packs take.</summary>
    public ulong PackBlocks;
    public ulong Reserved;
}
