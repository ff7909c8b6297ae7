// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>A name moves; source and destination names follow, each padded to 8.</summary>
[CStruct("lakefs_i_rename")]
[StructLayout(LayoutKind.Sequential)]
public struct IntentRename
{
    public IntentHeader Header;
    public ulong SrcDir;
    public ulong DstDir;
    public ulong Ino;
    public ulong TargetIno;
    public ulong WhiteoutIno;
    public uint Flags;
    public uint WhiteoutMode;
    public uint WhiteoutUid;
    public uint WhiteoutGid;
    public uint WhiteoutGeneration;
    public ushort SrcBytes;
    public ushort DstBytes;
    public LakeTime Time;
}
