// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>Entries of a directory with a greater cookie.</summary>
[CStruct("lakefs_r_readdir")]
[StructLayout(LayoutKind.Sequential)]
public struct RequestReaddir
{
    public RequestHeader Header;
    public ulong Ino;
    /// <summary>Entries with a greater cookie.</summary>
    public ulong Cookie;
    /// <summary>Of the reply's payload.</summary>
    public uint MaxBytes;
    public uint Pad;
}
