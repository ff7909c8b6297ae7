// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>One extent of an EXTENTS answer.</summary>
[CStruct("lakefs_p_extent")]
[StructLayout(LayoutKind.Sequential)]
public struct ReplyExtent
{
    public ulong FileBlock;
    public ulong PhysBlock;
    public uint Blocks;
    /// <summary>LAKEFS_EXTENT_*.</summary>
    public uint Flags;
}
