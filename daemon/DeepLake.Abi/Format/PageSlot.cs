// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>One slot of a tree page: key and place of an item.</summary>
[CStruct("lakefs_slot")]
[StructLayout(LayoutKind.Sequential)]
public struct PageSlot
{
    public ulong Object;
    public ulong Offset;
    public ushort Type;
    /// <summary>Of the item's bytes in the page.</summary>
    public ushort At;
    public ushort Bytes;
    public ushort Pad;
}
