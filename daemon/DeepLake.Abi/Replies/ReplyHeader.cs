// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>Every reply begins with this; payload and padding to 8 follow.</summary>
[CStruct("lakefs_reply_hdr")]
[StructLayout(LayoutKind.Sequential)]
public struct ReplyHeader
{
    /// <summary>Whole entry, multiple of 8.</summary>
    public uint Len;
    /// <summary>Len - header >= this.</summary>
    public uint PayloadBytes;
    /// <summary>All ones: pad entry.</summary>
    public ulong Tag;
    /// <summary>0 or -errno.</summary>
    public int Status;
    public uint Flags;
}
