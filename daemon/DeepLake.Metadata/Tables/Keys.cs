// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Metadata.Tree;

namespace DeepLake.Metadata.Tables;

/// <summary>Keys of the item types (proto/lakefs_format.h, LAKEFS_ITEM_*).</summary>
internal static class Keys
{
    public static TreeKey Inode(ulong ino) => new(ino, (uint)ItemType.Inode, 0);

    public static TreeKey LinkPiece(ulong ino, int piece) => new(ino, (uint)ItemType.Inode, (ulong)piece + 1);

    public static TreeKey Parent(ulong ino, ulong cookie) => new(ino, (uint)ItemType.Parent, cookie);

    public static TreeKey Xattr(ulong ino, ulong offset) => new(ino, (uint)ItemType.Xattr, offset);

    public static TreeKey DirName(ulong dir, ulong hash) => new(dir, (uint)ItemType.Dirname, hash);

    public static TreeKey Dirent(ulong dir, ulong cookie) => new(dir, (uint)ItemType.Dirent, cookie);

    public static TreeKey Extent(ulong ino, ulong fileBlock) => new(ino, (uint)ItemType.Extent, fileBlock);

    public static TreeKey Orphan(ulong ino) => new(ObjectIds.Orphans, (uint)ItemType.Orphan, ino);

    public static TreeKey Bitmap(ulong chunk) => new(ObjectIds.Bitmap, (uint)ItemType.Bitmap, chunk);

    public static TreeKey Object(ulong ino) => new(ino, (uint)ItemType.Object, 0);

    public static TreeKey Identity(ulong prefix) => new(ObjectIds.Identities, (uint)ItemType.Identity, prefix);

    public static TreeKey Archive(ulong number) => new(ObjectIds.Archive, (uint)ItemType.Archive, number);

    public static TreeKey State => new(ObjectIds.State, (uint)ItemType.State, 0);

    public static TreeKey Scrub => new(ObjectIds.State, (uint)ItemType.Scrub, 0);

    public static bool Is(TreeKey key, ulong obj, ItemType type) => key.Object == obj && key.Type == (uint)type;
}
