// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Abi;

/// <summary>Flags of an inode.</summary>
public static class InodeFlags
{
    [CConst("LAKEFS_INODE_IMMUTABLE")]
    public const uint Immutable = 0x1u;

    [CConst("LAKEFS_INODE_APPEND")]
    public const uint Append = 0x2u;

    [CConst("LAKEFS_INODE_NODUMP")]
    public const uint Nodump = 0x4u;

    [CConst("LAKEFS_INODE_NOATIME")]
    public const uint Noatime = 0x8u;

    [CConst("LAKEFS_INODE_SYNC")]
    public const uint Sync = 0x10u;

    [CConst("LAKEFS_INODE_DIRSYNC")]
    public const uint Dirsync = 0x20u;

    /// <summary>Those that FS_IOC_SETFLAGS may change.</summary>
    [CConst("LAKEFS_INODE_FLAGS_USER")]
    public const uint User = 0x3fu;
}
