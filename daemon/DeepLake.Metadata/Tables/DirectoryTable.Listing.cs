// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using DeepLake.Abi;
using DeepLake.Metadata.Tree;

namespace DeepLake.Metadata.Tables;

/// <summary>Listing: a leaf of the tree at a time, from its bytes straight into the answer.</summary>
public sealed unsafe partial class DirectoryTable
{
    /// <summary>
    /// Entries with cookies above <paramref name="after"/>, in their order, as struct lakefs_p_dirent with
    /// the name behind it; as many as fit.
    /// </summary>
    /// <param name="dir">The directory.</param>
    /// <param name="after">The last cookie that is known.</param>
    /// <param name="target">Where they go.</param>
    /// <param name="more">There are entries behind those.</param>
    /// <returns>Bytes written.</returns>
    public int CopyEntries(ulong dir, ulong after, Span<byte> target, out bool more)
    {
        more = false;
        int used = 0;
        while (after != ulong.MaxValue && tree.TryGetLeaf(Keys.Dirent(dir, after + 1), out TreePage leaf, out int index))
        {
            ulong last = after;
            for (int count = leaf.Count; index < count; index++)
            {
                if (!leaf.IsAt(index, dir, (uint)ItemType.Dirent))
                {
                    return used;
                }

                int bytes = CopyEntry(leaf, index, dir, target[used..]);
                if (bytes == 0)
                {
                    more = true;
                    return used;
                }

                used += bytes;
                last = leaf.Offset(index);
            }

            after = last;
        }

        return used;
    }

    /// <summary>Bytes of the entry in the answer; 0: no room.</summary>
    private static int CopyEntry(TreePage leaf, int index, ulong dir, Span<byte> target)
    {
        ReadOnlySpan<byte> dirent = leaf.Data(index);
        int nameBytes = dirent.Length - DirentBytes;
        if (nameBytes <= 0 || nameBytes != dirent[9])
        {
            throw Malformed(dir);
        }

        int bytes = (Unsafe.SizeOf<ReplyDirent>() + nameBytes + 7) & ~7;
        if (bytes > target.Length)
        {
            return 0;
        }

        fixed (byte* from = dirent)
        fixed (byte* to = target)
        {
            var reply = (ReplyDirent*)to;
            reply->Cookie = leaf.Offset(index);
            reply->Ino = *(ulong*)from;
            reply->Type = from[8];
            reply->NameBytes = (byte)nameBytes;
            reply->Len = (ushort)bytes;
            reply->Pad = 0;
            *(ulong*)(to + bytes - sizeof(ulong)) = 0; // padding behind the name
            Unsafe.CopyBlockUnaligned(to + sizeof(ReplyDirent), from + DirentBytes, (uint)nameBytes);
        }

        return bytes;
    }

    private static MetadataCorruptException Malformed(ulong dir) => new($"directory {dir} has a malformed entry");
}
