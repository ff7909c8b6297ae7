// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Abi;

/// <summary>Object numbers of items that belong to no inode.</summary>
public static class ObjectIds
{
    [CConst("LAKEFS_OBJ_STATE")]
    public const ulong State = 0xfffffffffffffff0ul;

    [CConst("LAKEFS_OBJ_BITMAP")]
    public const ulong Bitmap = 0xfffffffffffffff1ul;

    [CConst("LAKEFS_OBJ_ORPHANS")]
    public const ulong Orphans = 0xfffffffffffffff2ul;

    [CConst("LAKEFS_OBJ_SHARED")]
    public const ulong Shared = 0xfffffffffffffff3ul;

    [CConst("LAKEFS_OBJ_IDENTITIES")]
    public const ulong Identities = 0xfffffffffffffff4ul;

    [CConst("LAKEFS_OBJ_ARCHIVE")]
    public const ulong Archive = 0xffffffffffffffeful;
}
