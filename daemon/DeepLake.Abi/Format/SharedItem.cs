// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>A run of data blocks that <see cref="Refs"/> extents refer to.</summary>
[CStruct("lakefs_shared_item")]
[StructLayout(LayoutKind.Sequential)]
public struct SharedItem
{
    public uint Blocks;
    /// <summary>At least 2.</summary>
    public uint Refs;
}
