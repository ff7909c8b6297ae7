// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>One inode of an INODES answer; symlink target (padded to 8) and extents follow.</summary>
[CStruct("lakefs_p_inode")]
[StructLayout(LayoutKind.Sequential)]
public struct ReplyInode
{
    /// <summary>All of it, a multiple of 8.</summary>
    public uint Len;
    public ushort Extents;
    /// <summary>LAKEFS_P_INODE_*.</summary>
    public ushort Flags;
    public InodeRecord Inode;
}
