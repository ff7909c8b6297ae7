// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>Answer to STATFS.</summary>
[CStruct("lakefs_p_statfs")]
[StructLayout(LayoutKind.Sequential)]
public struct ReplyStatfs
{
    /// <summary>Of the data region.</summary>
    public ulong TotalBlocks;
    /// <summary>Neither mapped nor leased.</summary>
    public ulong FreeBlocks;
    /// <summary>In use.</summary>
    public ulong Inodes;
    /// <summary>Estimate from metadata room.</summary>
    public ulong FreeInodes;
}
