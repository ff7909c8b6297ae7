// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Abi;

/// <summary>What is wrong with a block.</summary>
public enum ScrubKind : uint
{
    /// <summary>It does not match its checksum.</summary>
    [CConst("LAKEFS_SCRUB_DIFFERS")]
    Differs = 1,

    /// <summary>The block or its checksum cannot be read.</summary>
    [CConst("LAKEFS_SCRUB_UNREADABLE")]
    Unreadable = 2,
}
