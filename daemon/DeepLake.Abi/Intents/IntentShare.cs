// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>A range of a file, equal to so many bytes of another one, now maps the device blocks of these.</summary>
[CStruct("lakefs_i_share")]
[StructLayout(LayoutKind.Sequential)]
public struct IntentShare
{
    public IntentHeader Header;
    public ulong SrcIno;
    /// <summary>Another one.</summary>
    public ulong DstIno;
    /// <summary>Bytes; within a block only when they follow each other on the device.</summary>
    public ulong SrcPos;
    public ulong DstBlock;
    /// <summary>1 to <see cref="LakeRing.CloneBlocksMax"/>.</summary>
    public ulong Blocks;
}
