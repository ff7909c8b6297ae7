// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>A range of one file now maps the device blocks of another range.</summary>
[CStruct("lakefs_i_clone")]
[StructLayout(LayoutKind.Sequential)]
public struct IntentClone
{
    public IntentHeader Header;
    public ulong SrcIno;
    public ulong SrcBlock;
    public ulong DstIno;
    public ulong DstBlock;
    public ulong Blocks;
    /// <summary>New size of the destination if larger than its old one; 0 leaves it.</summary>
    public ulong Size;
    public LakeTime Mtime;
    public LakeTime Ctime;
}
