// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>A new inode and its name; name, symlink target and xattr records follow. Dir 0: O_TMPFILE.</summary>
[CStruct("lakefs_i_create")]
[StructLayout(LayoutKind.Sequential)]
public struct IntentCreate
{
    public IntentHeader Header;
    public ulong Dir;
    public ulong Ino;
    public uint Mode;
    public uint Uid;
    public uint Gid;
    public uint Rdev;
    public uint Generation;
    public uint InodeFlags;
    public LakeTime Time;
    public ushort NameBytes;
    public ushort LinkBytes;
    /// <summary>Of all records, padding included.</summary>
    public uint XattrBytes;
}
