// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>A range of blocks or of inode numbers.</summary>
[CStruct("lakefs_range")]
[StructLayout(LayoutKind.Sequential)]
public struct BlockRange
{
    public ulong Start;
    public ulong Count;
}
