// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>Blocks or inode numbers to hold back for the kernel.</summary>
[CStruct("lakefs_r_lease")]
[StructLayout(LayoutKind.Sequential)]
public struct RequestLease
{
    public RequestHeader Header;
    /// <summary>Blocks or inode numbers.</summary>
    public ulong Want;
    /// <summary>Preferred block, 0 = any.</summary>
    public ulong Goal;
}
