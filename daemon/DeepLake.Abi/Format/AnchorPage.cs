// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>A page of the anchor table. One whose checksum is wrong holds nothing.</summary>
[CStruct("lakefs_anchor_page")]
[StructLayout(LayoutKind.Sequential)]
public struct AnchorPage
{
    /// <summary>Of the lake's uuid and this page, with this field 0.</summary>
    public uint Crc32c;
    public ushort Count;
    /// <summary>When it is full: which goes next.</summary>
    public ushort Next;
    /// <summary>Of the page in the region.</summary>
    public ulong Number;
    public AnchorItem170 Anchors;
}
