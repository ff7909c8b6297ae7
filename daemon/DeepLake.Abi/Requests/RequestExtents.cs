// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>Extents of a file that end after a block.</summary>
[CStruct("lakefs_r_extents")]
[StructLayout(LayoutKind.Sequential)]
public struct RequestExtents
{
    public RequestHeader Header;
    public ulong Ino;
    /// <summary>Extents that end after this block.</summary>
    public ulong FileBlock;
    public uint MaxExtents;
    public uint Pad;
}
