// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>Header of a page of the metadata tree; slots follow it, item bytes grow down from the end.</summary>
[CStruct("lakefs_page")]
[StructLayout(LayoutKind.Sequential)]
public struct PageHeader
{
    /// <summary>Over bytes 4.4095.</summary>
    public uint Crc32c;
    public ushort Level;
    public ushort Count;
    /// <summary>Its own id.</summary>
    public ulong Page;
    /// <summary>Newest intent in it.</summary>
    public ulong Seq;
    /// <summary>Lowest byte used by items.</summary>
    public ushort HeapStart;
    /// <summary>Dead bytes among the items.</summary>
    public ushort HoleBytes;
    public uint Pad;
}
