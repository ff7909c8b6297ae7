// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>The first block of a segment of the archive (docs/archive.md).</summary>
[CStruct("lakefs_archive_header")]
[StructLayout(LayoutKind.Sequential)]
public struct ArchiveHeader
{
    public ulong Magic;
    public uint FormatVersion;
    /// <summary>Of this block with this field 0.</summary>
    public uint Crc32c;
    public Byte16 Uuid;
    public ulong Number;
    /// <summary>Where this block is.</summary>
    public ulong StartBlock;
    public uint Blocks;
    public ArchiveKind Kind;
    /// <summary>Of a base, from 0.</summary>
    public uint Part;
    public ArchiveFlags Flags;
    /// <summary>Decompressed.</summary>
    public ulong PayloadBytes;
    /// <summary>Of superblock copy and payload, as stored.</summary>
    public uint PayloadCrc32c;
    /// <summary>Of the payload, on the device.</summary>
    public uint StoredBytes;
    public ulong FirstLsn;
    /// <summary>The frame that follows.</summary>
    public ulong NextLsn;
    /// <summary>The newest intent up to there.</summary>
    public ulong Seq;
    public ulong WrittenSec;
    /// <summary>BLAKE3 of the superblock's key, this block with its checksum and this field 0, superblock copy and payload, as stored.</summary>
    public Byte32 Mac;
    public Byte3952 Reserved;
}
