// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>The beginning of a pack; the compressed bytes follow.</summary>
[CStruct("lakefs_pack")]
[StructLayout(LayoutKind.Sequential)]
public struct PackHeader
{
    /// <summary><see cref="LakeFormat.PackMagic"/>.</summary>
    public uint Magic;
    /// <summary><see cref="LakeFormat.PackZstd"/>.</summary>
    public ushort Algorithm;
    /// <summary>Of the content: 1 to <see cref="LakeFormat.PackBlocks"/>.</summary>
    public ushort Blocks;
    /// <summary>Compressed.</summary>
    public uint Bytes;
    public uint Pad;
}
