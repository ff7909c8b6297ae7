// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>Inodes by number, with their first extents; the numbers (u64 each) follow.</summary>
[CStruct("lakefs_r_inodes")]
[StructLayout(LayoutKind.Sequential)]
public struct RequestInodes
{
    public RequestHeader Header;
    public uint Count;
    /// <summary>Extents wanted of each regular file.</summary>
    public uint MaxExtents;
}
