// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata.Tree;

namespace DeepLake.Metadata.Tables;

/// <summary>
/// What the contents of files are: one item for each file whose content has been given its identity.
/// Whether it still holds the inode tells.
/// </summary>
public sealed class ObjectTable(BTree tree)
{
    private const ulong HoleBlocksFree = 1ul << 18; // 1 GiB
    private const ulong HoleBlocksPerBlock = 64;

    private static readonly int ItemBytes = Unsafe.SizeOf<ObjectItem>();

    /// <summary>
    /// Whether a file is given an identity at all. Holes are hashed like data: what is hardly anything else
    /// would cost much time and could save nothing.
    /// </summary>
    public static bool IsWorthIt(ulong size, ulong mappedBlocks) =>
        size > 0 && mappedBlocks > 0 && size / LakeFormat.BlockSize <= HoleBlocksFree + (mappedBlocks * HoleBlocksPerBlock);

    /// <summary>Whether an item still says what the file's content is.</summary>
    public static bool Holds(in ObjectItem item, in InodeRecord inode) => item.DataSeq == inode.DataSeq && item.Size == inode.Size;

    public bool TryGet(ulong ino, out ObjectItem item)
    {
        item = default;
        if (!tree.TryGet(Keys.Object(ino), out ReadOnlySpan<byte> data))
        {
            return false;
        }

        if (data.Length != ItemBytes)
        {
            throw new MetadataCorruptException($"the object of inode {ino} has {data.Length} bytes");
        }

        item = MemoryMarshal.Read<ObjectItem>(data);
        return true;
    }

    /// <summary>Makes or replaces it; true when there was none.</summary>
    public bool Put(ulong ino, in ObjectItem item)
    {
        TreeKey key = Keys.Object(ino);
        bool isNew = !tree.Contains(key);
        MemoryMarshal.Write(tree.Reserve(key, ItemBytes), in item);
        return isNew;
    }

    public void Delete(ulong ino) => tree.Delete(Keys.Object(ino));
}
