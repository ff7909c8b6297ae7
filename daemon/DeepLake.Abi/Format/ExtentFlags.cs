// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Abi;

/// <summary>Flags of an extent: on disk, in map intents and in extent replies.</summary>
public static class ExtentFlags
{
    /// <summary>Reads as zeroes.</summary>
    [CConst("LAKEFS_EXTENT_UNWRITTEN")]
    public const uint Unwritten = 0x1u;

    /// <summary>One crc32c per block follows or is known.</summary>
    [CConst("LAKEFS_EXTENT_CRC")]
    public const uint Crc = 0x2u;

    /// <summary>Only in replies: other extents refer to these blocks too, or did until lately.</summary>
    [CConst("LAKEFS_EXTENT_SHARED")]
    public const uint Shared = 0x4u;

    /// <summary>Never written in place again, and stays where it is.</summary>
    [CConst("LAKEFS_EXTENT_SEALED")]
    public const uint Sealed = 0x100u;

    /// <summary>Of sealed extents only: the checksum table holds for these blocks, every read is compared with it.</summary>
    [CConst("LAKEFS_EXTENT_CHECKED")]
    public const uint Checked = 0x800u;

    /// <summary>Reserved, refused in version 4.</summary>
    [CConst("LAKEFS_EXTENT_PACKED")]
    public const uint Packed = 0x200u;

    /// <summary>Reserved, refused in version 4.</summary>
    [CConst("LAKEFS_EXTENT_INLINE")]
    public const uint Inline = 0x400u;
}
