// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Abi;

/// <summary>Kinds of items in the metadata tree.</summary>
public enum ItemType : uint
{
    [CConst("LAKEFS_ITEM_INODE")]
    Inode = 1,

    [CConst("LAKEFS_ITEM_PARENT")]
    Parent = 2,

    [CConst("LAKEFS_ITEM_XATTR")]
    Xattr = 3,

    [CConst("LAKEFS_ITEM_DIRNAME")]
    Dirname = 4,

    [CConst("LAKEFS_ITEM_DIRENT")]
    Dirent = 5,

    [CConst("LAKEFS_ITEM_EXTENT")]
    Extent = 6,

    [CConst("LAKEFS_ITEM_ORPHAN")]
    Orphan = 7,

    [CConst("LAKEFS_ITEM_BITMAP")]
    Bitmap = 8,

    [CConst("LAKEFS_ITEM_STATE")]
    State = 9,

    [CConst("LAKEFS_ITEM_SHARED")]
    Shared = 10,

    [CConst("LAKEFS_ITEM_OBJECT")]
    Object = 11,

    [CConst("LAKEFS_ITEM_IDENTITY")]
    Identity = 12,

    [CConst("LAKEFS_ITEM_ARCHIVE")]
    Archive = 13,

    [CConst("LAKEFS_ITEM_SCRUB")]
    Scrub = 14,
}
