// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>A directory entry in the tree; the name follows.</summary>
[CStruct("lakefs_dirent")]
[StructLayout(LayoutKind.Sequential)]
public struct Dirent
{
    public ulong Ino;
    /// <summary>DT_*.</summary>
    public byte Type;
    public byte NameBytes;
    public Byte6 Pad;
}
