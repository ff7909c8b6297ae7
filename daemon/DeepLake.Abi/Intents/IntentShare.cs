// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>A range of a file, equal to the same range of another one, now maps that one's device blocks.</summary>
[CStruct("lakefs_i_share")]
[StructLayout(LayoutKind.Sequential)]
public struct IntentShare
{
    public IntentHeader Header;
    public ulong SrcIno;
    /// <summary>Another one.</summary>
    public ulong DstIno;
    /// <summary>Of both.</summary>
    public ulong FileBlock;
    /// <summary>1 to <see cref="LakeRing.CloneBlocksMax"/>.</summary>
    public ulong Blocks;
}
