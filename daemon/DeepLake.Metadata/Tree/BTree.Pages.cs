// SPDX-License-Identifier: MPL-2.0
using DeepLake.Storage;

namespace DeepLake.Metadata.Tree;

/// <summary>Receives a page with its checksum; the bytes are valid during the call only.</summary>
public delegate void PageVisitor(ReadOnlySpan<byte> page);

/// <summary>The pages themselves, for who keeps a copy of them.</summary>
public sealed partial class BTree
{
    /// <summary>Byte offset of its own id in every page, the meta page too.</summary>
    public const int PageIdOffset = 8;

    /// <summary>
    /// Visits every page once: the meta page, then the others from the root down. The tree is not changed
    /// meanwhile.
    /// </summary>
    public void VisitPages(PageVisitor visitor)
    {
        byte[] page = new byte[TreePage.Size];
        _meta.Write(page);
        PageFormat.Seal(PageMeta.MetaPage, page);
        visitor(page);
        VisitBelow(_meta.Root, (int)_meta.Height - 1, page, visitor);
    }

    private void VisitBelow(ulong id, int level, byte[] page, PageVisitor visitor)
    {
        CopyPage(id, page);
        if (LevelOf(page) != level)
        {
            throw new MetadataCorruptException($"page {id} is not of level {level}");
        }

        ulong[] children = level == 0 ? [] : Children(page);
        PageFormat.Seal(id, page);
        visitor(page);
        foreach (ulong child in children)
        {
            VisitBelow(child, level - 1, page, visitor);
        }
    }

    private static unsafe int LevelOf(byte[] page)
    {
        fixed (byte* bytes = page)
        {
            return new TreePage(bytes).Level;
        }
    }

    private static unsafe ulong[] Children(byte[] page)
    {
        fixed (byte* bytes = page)
        {
            var inner = new TreePage(bytes);
            ulong[] children = new ulong[inner.Count];
            for (int i = 0; i < children.Length; i++)
            {
                children[i] = inner.Child(i);
            }

            return children;
        }
    }
}
