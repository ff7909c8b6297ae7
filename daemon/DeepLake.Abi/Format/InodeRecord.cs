// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>An inode, in the tree and in replies; a symlink target follows.</summary>
[CStruct("lakefs_inode")]
[StructLayout(LayoutKind.Sequential)]
public struct InodeRecord
{
    public ulong Ino;
    public uint Mode;
    public uint Nlink;
    public uint Uid;
    public uint Gid;
    /// <summary>New_encode_dev() form.</summary>
    public uint Rdev;
    /// <summary>For file handles.</summary>
    public uint Generation;
    /// <summary>Bytes; directories: entry count.</summary>
    public ulong Size;
    /// <summary>4096-byte blocks mapped.</summary>
    public ulong Blocks;
    public LakeTime Atime;
    public LakeTime Mtime;
    public LakeTime Ctime;
    public LakeTime Btime;
    /// <summary>LAKEFS_INODE_*.</summary>
    public uint Flags;
    public uint XattrCount;
    /// <summary>Symlink target following this struct.</summary>
    public uint LinkBytes;
    public uint Zone;
    /// <summary>Last intent that changed it.</summary>
    public ulong LastSeq;
    /// <summary>Last intent that changed what the file's bytes are, or allowed them to be changed in place.</summary>
    public ulong DataSeq;
    public ulong Reserved;
}
