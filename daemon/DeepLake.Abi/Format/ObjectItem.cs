// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>The identity of a file's content; it holds while the inode's size and data seq are these.</summary>
[CStruct("lakefs_object_item")]
[StructLayout(LayoutKind.Sequential)]
public struct ObjectItem
{
    /// <summary>BLAKE3 of the file's bytes.</summary>
    public Byte32 Id;
    public ulong Size;
    public ulong DataSeq;
    /// <summary><see cref="ObjectFlags"/>.</summary>
    public uint Flags;
    public uint Pad;
}
