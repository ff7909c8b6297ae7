// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>SHARE: the daemon asks for ranges of two files that are equal, the kernel decides.</summary>
[CStruct("lakefs_share")]
[StructLayout(LayoutKind.Sequential)]
public struct ShareArgs
{
    public ulong SrcIno;
    public ulong DstIno;
    public uint SrcGeneration;
    public uint DstGeneration;
    /// <summary>Applied when the daemon looked at the maps; a change of either after it refuses.</summary>
    public ulong MapSeq;
    /// <summary>Bytes.</summary>
    public ulong SrcPos;
    public ulong DstBlock;
    /// <summary>1 to <see cref="LakeRing.CloneBlocksMax"/>.</summary>
    public ulong Blocks;
    /// <summary>Out: of the intent.</summary>
    public ulong Seq;
    public ulong Flags;
}
