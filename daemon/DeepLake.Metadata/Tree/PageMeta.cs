// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Metadata.Tree;

/// <summary>The meta page (struct lakefs_meta_page): where the root is and which page ids are taken.</summary>
internal struct PageMeta
{
    public const ulong MetaPage = 1;
    public const ulong FirstPage = 2;

    public uint Height;
    public ulong Seq;
    public ulong Root;
    public ulong NextPage;
    public ulong PageCount;

    public static PageMeta Read(ReadOnlySpan<byte> page)
    {
        var meta = new PageMeta
        {
            Height = MemoryMarshal.Read<uint>(page[4..]),
            Seq = MemoryMarshal.Read<ulong>(page[16..]),
            Root = MemoryMarshal.Read<ulong>(page[24..]),
            NextPage = MemoryMarshal.Read<ulong>(page[32..]),
            PageCount = MemoryMarshal.Read<ulong>(page[40..]),
        };
        if (MemoryMarshal.Read<ulong>(page[8..]) != MetaPage || meta.Height is 0 or > 16
            || meta.Root < FirstPage || meta.Root >= meta.NextPage)
        {
            throw new MetadataCorruptException("the meta page has impossible contents");
        }

        return meta;
    }

    public readonly void Write(Span<byte> page)
    {
        page.Clear();
        MemoryMarshal.Write(page[4..], Height);
        MemoryMarshal.Write(page[8..], MetaPage);
        MemoryMarshal.Write(page[16..], Seq);
        MemoryMarshal.Write(page[24..], Root);
        MemoryMarshal.Write(page[32..], NextPage);
        MemoryMarshal.Write(page[40..], PageCount);
    }
}
