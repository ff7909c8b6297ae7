// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>Key of an item of the metadata tree; ordered by (object, type, offset), all unsigned.</summary>
[CStruct("lakefs_key")]
[StructLayout(LayoutKind.Sequential)]
public struct ItemKey
{
    public ulong Object;
    public ulong Offset;
    /// <summary>Compared second.</summary>
    public ItemType Type;
    public uint Pad;
}
