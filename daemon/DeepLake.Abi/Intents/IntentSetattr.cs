// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>New attributes; Valid says which.</summary>
[CStruct("lakefs_i_setattr")]
[StructLayout(LayoutKind.Sequential)]
public struct IntentSetattr
{
    public IntentHeader Header;
    public ulong Ino;
    /// <summary>LAKEFS_ATTR_*.</summary>
    public uint Valid;
    /// <summary>Permission bits; the type is kept.</summary>
    public uint Mode;
    public uint Uid;
    public uint Gid;
    public ulong Size;
    public LakeTime Atime;
    public LakeTime Mtime;
    public LakeTime Ctime;
    public uint InodeFlags;
    public uint Pad;
}
