// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>A request about one inode.</summary>
[CStruct("lakefs_r_ino")]
[StructLayout(LayoutKind.Sequential)]
public struct RequestIno
{
    public RequestHeader Header;
    public ulong Ino;
}
