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

    /// <summary>
    /// Of checked extents only: by how many bytes (1 to 4095) their content begins behind the beginning of the first
    /// device block. Such an extent is skewed, and refers to one device block more than it has.
    /// </summary>
    [CConst("LAKEFS_EXTENT_SKEW_MASK")]
    public const uint SkewMask = 0x0fff0000u;

    [CConst("LAKEFS_EXTENT_SKEW_SHIFT")]
    public const int SkewShift = 16;

    /// <summary>Of checked extents only: in a pack; the block is a place in packs then.</summary>
    [CConst("LAKEFS_EXTENT_PACKED")]
    public const uint Packed = 0x200u;

    /// <summary>Of packed extents only: by how many device blocks the pack is longer than one.</summary>
    [CConst("LAKEFS_EXTENT_SPAN_MASK")]
    public const uint SpanMask = 0x001f0000u;

    [CConst("LAKEFS_EXTENT_SPAN_SHIFT")]
    public const int SpanShift = 16;

    /// <summary>Reserved, refused for now.</summary>
    [CConst("LAKEFS_EXTENT_INLINE")]
    public const uint Inline = 0x400u;
}
