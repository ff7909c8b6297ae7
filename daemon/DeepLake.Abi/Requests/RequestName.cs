// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>A request about a name in a directory, or an xattr of an inode; the name follows.</summary>
[CStruct("lakefs_r_name")]
[StructLayout(LayoutKind.Sequential)]
public struct RequestName
{
    public RequestHeader Header;
    /// <summary>Directory, or owner of the xattr.</summary>
    public ulong Ino;
    public ushort NameBytes;
    public UShort3 Pad;
}
