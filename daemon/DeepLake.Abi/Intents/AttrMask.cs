// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Abi;

/// <summary>Which attributes a SETATTR intent carries.</summary>
public static class AttrMask
{
    [CConst("LAKEFS_ATTR_MODE")]
    public const uint Mode = 0x1u;

    [CConst("LAKEFS_ATTR_UID")]
    public const uint Uid = 0x2u;

    [CConst("LAKEFS_ATTR_GID")]
    public const uint Gid = 0x4u;

    [CConst("LAKEFS_ATTR_SIZE")]
    public const uint Size = 0x8u;

    [CConst("LAKEFS_ATTR_ATIME")]
    public const uint Atime = 0x10u;

    [CConst("LAKEFS_ATTR_MTIME")]
    public const uint Mtime = 0x20u;

    [CConst("LAKEFS_ATTR_CTIME")]
    public const uint Ctime = 0x40u;

    [CConst("LAKEFS_ATTR_FLAGS")]
    public const uint Flags = 0x80u;

    [CConst("LAKEFS_ATTR_ALL")]
    public const uint All = 0xffu;
}
