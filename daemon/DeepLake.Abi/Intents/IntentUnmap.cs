// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>A hole: the range reads as zeroes and its blocks are freed.</summary>
[CStruct("lakefs_i_unmap")]
[StructLayout(LayoutKind.Sequential)]
public struct IntentUnmap
{
    public IntentHeader Header;
    public ulong Ino;
    public ulong FileBlock;
    public ulong Blocks;
    public LakeTime Mtime;
    public LakeTime Ctime;
}
