// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>Page 1: names the root of the tree.</summary>
[CStruct("lakefs_meta_page")]
[StructLayout(LayoutKind.Sequential)]
public struct MetaPage
{
    public uint Crc32c;
    /// <summary>Levels, 1 = the root is a leaf.</summary>
    public uint Height;
    /// <summary>1.</summary>
    public ulong Page;
    public ulong Seq;
    public ulong Root;
    public ulong NextPage;
    public ulong PageCount;
}
