// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>What a range of a file maps lies elsewhere in the same file now.</summary>
[CStruct("lakefs_i_shift")]
[StructLayout(LayoutKind.Sequential)]
public struct IntentShift
{
    public IntentHeader Header;
    public ulong Ino;
    public ulong FileBlock;
    public ulong Blocks;
    /// <summary>How many blocks it moves: towards 0, or away from it with <see cref="LakeRing.ShiftUp"/>.</summary>
    public ulong Distance;
    public uint Flags;
    public uint Pad;
    /// <summary>The file's new size, whatever the old one was; 0 leaves it.</summary>
    public ulong Size;
    public LakeTime Mtime;
    public LakeTime Ctime;
}
