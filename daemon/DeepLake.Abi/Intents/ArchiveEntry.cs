// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>A segment that comes to the archive.</summary>
[CStruct("lakefs_archive_entry")]
[StructLayout(LayoutKind.Sequential)]
public struct ArchiveEntry
{
    public ulong Number;
    public ArchiveItem Item;
}
