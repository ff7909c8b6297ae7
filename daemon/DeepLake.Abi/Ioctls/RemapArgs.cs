// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>REMAP: the daemon has put a range of a file elsewhere, too, and asks for it; the kernel decides.</summary>
[CStruct("lakefs_remap")]
[StructLayout(LayoutKind.Sequential)]
public struct RemapArgs
{
    public ulong Ino;
    public uint Generation;
    /// <summary>Those of the extent.</summary>
    public uint Flags;
    /// <summary>Applied when the daemon looked at the map; a change after it refuses.</summary>
    public ulong MapSeq;
    public ulong FileBlock;
    /// <summary>With <see cref="ExtentFlags.Packed"/> a place in packs.</summary>
    public ulong PhysBlock;
    /// <summary>1 to <see cref="LakeRing.RemapBlocksMax"/>.</summary>
    public ulong Blocks;
    /// <summary>Out: of the intent.</summary>
    public ulong Seq;
}
