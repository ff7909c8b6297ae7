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
    public ULong4 Reserved;
}
