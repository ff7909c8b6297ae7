// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>An extent in the tree; crc32c values follow when it has the CRC flag.</summary>
[CStruct("lakefs_extent_item")]
[StructLayout(LayoutKind.Sequential)]
public struct ExtentItem
{
    /// <summary>Absolute block on the device.</summary>
    public ulong PhysBlock;
    public uint Blocks;
    public uint Flags;
    public ulong BirthSeq;
}
