// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>Where a segment of the archive is.</summary>
[CStruct("lakefs_archive_item")]
[StructLayout(LayoutKind.Sequential)]
public struct ArchiveItem
{
    public ulong Block;
    public uint Blocks;
    public ArchiveKind Kind;
}
