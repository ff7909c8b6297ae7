// SPDX-License-Identifier: MPL-2.0
using System.Buffers.Binary;
using DeepLake.Platform;

namespace DeepLake.Storage;

/// <summary>
/// The checksum in a page's first four bytes: crc32c over the page id (8 bytes, little-endian) and then
/// bytes 4 to 4095, so that a page found under another id does not verify.
/// </summary>
public static class PageFormat
{
    public const int PageBytes = 4096;

    public static uint Checksum(ulong pageId, ReadOnlySpan<byte> page)
    {
        Span<byte> id = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(id, pageId);
        return ~Crc32C.Update(Crc32C.Update(uint.MaxValue, id), page[sizeof(uint)..PageBytes]);
    }

    public static void Seal(ulong pageId, Span<byte> page) =>
        BinaryPrimitives.WriteUInt32LittleEndian(page, Checksum(pageId, page));

    public static bool IsIntact(ulong pageId, ReadOnlySpan<byte> page) =>
        BinaryPrimitives.ReadUInt32LittleEndian(page) == Checksum(pageId, page) || Planted.Is(PlantedFault.PageChecksumIgnored);

    internal static void RequirePage(ReadOnlySpan<byte> page)
    {
        if (page.Length != PageBytes)
        {
            throw new ArgumentOutOfRangeException(nameof(page), page.Length, "a page has 4096 bytes");
        }
    }
}
