// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Abi;

/// <summary>Flags of a segment of the archive.</summary>
[Flags]
public enum ArchiveFlags : uint
{
    /// <summary>The last part of a base.</summary>
    [CConst("LAKEFS_ARCHIVE_LAST")]
    Last = 0x1,

    /// <summary>The payload is a zstd frame.</summary>
    [CConst("LAKEFS_ARCHIVE_ZSTD")]
    Zstd = 0x2,
}
