// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Abi;

/// <summary>What a segment of the archive holds.</summary>
public enum ArchiveKind : uint
{
    /// <summary>Frames of the log.</summary>
    [CConst("LAKEFS_ARCHIVE_LOG")]
    Log = 1,

    /// <summary>Pages of a checkpoint's tree.</summary>
    [CConst("LAKEFS_ARCHIVE_BASE")]
    Base = 2,
}
