// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Abi;

/// <summary>Kinds of requests; 32 and above are reserved and refused.</summary>
public enum RequestOp : ushort
{
    [CConst("LAKEFS_R_PAD")]
    Pad = 0,

    [CConst("LAKEFS_R_MOUNT")]
    Mount = 1,

    [CConst("LAKEFS_R_UNMOUNT")]
    Unmount = 2,

    [CConst("LAKEFS_R_LOOKUP")]
    Lookup = 3,

    [CConst("LAKEFS_R_INODE")]
    Inode = 4,

    [CConst("LAKEFS_R_READDIR")]
    Readdir = 5,

    [CConst("LAKEFS_R_EXTENTS")]
    Extents = 6,

    [CConst("LAKEFS_R_GETXATTR")]
    Getxattr = 7,

    [CConst("LAKEFS_R_LISTXATTR")]
    Listxattr = 8,

    [CConst("LAKEFS_R_LEASE_BLOCKS")]
    LeaseBlocks = 9,

    [CConst("LAKEFS_R_LEASE_INOS")]
    LeaseInos = 10,

    [CConst("LAKEFS_R_RETURN_BLOCKS")]
    ReturnBlocks = 11,

    [CConst("LAKEFS_R_STATFS")]
    Statfs = 12,

    [CConst("LAKEFS_R_PARENT")]
    Parent = 13,

    [CConst("LAKEFS_R_INODES")]
    Inodes = 14,

    [CConst("LAKEFS_R_TRIM")]
    Trim = 15,

    [CConst("LAKEFS_R_WHOLE_DIR")]
    WholeDir = 32,

    [CConst("LAKEFS_R_VIEW")]
    View = 33,

    [CConst("LAKEFS_R_PINS")]
    Pins = 34,
}
