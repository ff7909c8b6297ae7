// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata.Tree;

namespace DeepLake.Metadata.Tables;

/// <summary>The segments of the archive by number: where they are (docs/archive.md).</summary>
public sealed class ArchiveTable(BTree tree)
{
    private static readonly int ItemBytes = Unsafe.SizeOf<ArchiveItem>();

    public bool TryGet(ulong number, out ArchiveItem item) => TryNext(number, out ulong found, out item) && found == number;

    /// <summary>The segment with the lowest number from <paramref name="from"/> on.</summary>
    public bool TryNext(ulong from, out ulong number, out ArchiveItem item)
    {
        (number, item) = (0, default);
        if (!tree.TryGetAtOrAfter(Keys.Archive(from), out TreeKey key, out ReadOnlySpan<byte> data)
            || !Keys.Is(key, ObjectIds.Archive, ItemType.Archive))
        {
            return false;
        }

        if (data.Length != ItemBytes)
        {
            throw new MetadataCorruptException($"segment {key.Offset} of the archive has an item of {data.Length} bytes");
        }

        (number, item) = (key.Offset, MemoryMarshal.Read<ArchiveItem>(data));
        return true;
    }

    public void Put(ulong number, in ArchiveItem item) =>
        MemoryMarshal.Write(tree.Reserve(Keys.Archive(number), ItemBytes), in item);

    public void Delete(ulong number) => tree.Delete(Keys.Archive(number));
}
