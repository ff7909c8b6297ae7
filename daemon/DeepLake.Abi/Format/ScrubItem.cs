// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>How far the scrub of a lake is, and what it found; its findings follow.</summary>
[CStruct("lakefs_scrub_item")]
[StructLayout(LayoutKind.Sequential)]
public struct ScrubItem
{
    /// <summary>1 is the first.</summary>
    public ulong Pass;
    /// <summary>Of the next block that the pass is to compare, or one behind it.</summary>
    public ulong Ino;
    public ulong FileBlock;
    /// <summary>Unix time, of the pass.</summary>
    public ulong BegunSec;
    /// <summary>Of files, compared by the pass so far.</summary>
    public ulong Blocks;
    /// <summary>Of the device, found by the pass.</summary>
    public ulong Damaged;
    /// <summary>The last pass that came to its end; 0: none has.</summary>
    public ulong EndedPass;
    public ulong EndedSec;
    public ulong EndedBlocks;
    public ulong EndedDamaged;
    /// <summary>Wanted; 0: as the daemon thinks fit.</summary>
    public ulong BytesPerSecond;
    public ScrubStage State;
    /// <summary>How many follow.</summary>
    public uint Findings;
}
