// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>Blocks of a file are at a place on the device; crc32c values follow when flagged.</summary>
[CStruct("lakefs_i_map")]
[StructLayout(LayoutKind.Sequential)]
public struct IntentMap
{
    public IntentHeader Header;
    public ulong Ino;
    public ulong FileBlock;
    public ulong PhysBlock;
    public uint Blocks;
    /// <summary>LAKEFS_EXTENT_*.</summary>
    public uint Flags;
    public ulong Size;
    public LakeTime Mtime;
    public LakeTime Ctime;
}
