// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Metadata.Tables;

namespace DeepLake.Check;

/// <summary>
/// Packs: a block of the device that packed extents refer to is of one pack, and of nothing that is not packed
/// (docs/on-disk-format.md, "Packed extents").
/// </summary>
internal sealed class PackChecker(Region data, Findings findings)
{
    // one bit a block; none before the first pack
    private ulong[] _packed = [];
    private ulong[] _starts = [];

    /// <summary>Of the device, that are of packs.</summary>
    public ulong Blocks { get; private set; }

    /// <summary>Whether place, blocks and flags of an item go together, as far as it says it is packed.</summary>
    public static bool Fits(in ExtentItem item) =>
        (item.Flags & ExtentFlags.Packed) == 0
        || ((item.Flags & ExtentFlags.SkewMask & ~ExtentFlags.SpanMask) == 0 && Extent.FitsItsPack(item.PhysBlock, item.Blocks, item.Flags));

    /// <param name="extent">Inside the data region.</param>
    /// <param name="used">A bit for each block of it that an item before this one refers to.</param>
    /// <param name="named">Whose it is, for findings.</param>
    public void Mark(in Extent extent, ulong[] used, NamedInode named)
    {
        if (extent.IsPacked && _packed.Length == 0)
        {
            _packed = new ulong[used.Length];
            _starts = new ulong[used.Length];
        }

        if (_packed.Length == 0)
        {
            return;
        }

        ulong first = extent.DeviceBlock - data.StartBlock;
        ulong end = first + extent.DeviceBlocks;
        bool isKnown = extent.IsPacked && IsSet(used, first); // then all of the pack is
        for (ulong bit = first; bit < end; bit++)
        {
            bool isRight = !IsSet(used, bit)
                ? !isKnown
                : (IsSet(_packed, bit) == extent.IsPacked && (!extent.IsPacked || IsSet(_starts, bit) == (bit == first)));
            findings.Require(isRight, $"{named}: block {bit + data.StartBlock}, which it maps, is in a pack that it does not name, or in none");
        }

        if (extent.IsPacked)
        {
            MarkPack(first, end, named);
        }
    }

    private void MarkPack(ulong first, ulong end, NamedInode named)
    {
        findings.Require(
            end >= data.Blocks || !IsSet(_packed, end) || IsSet(_starts, end),
            $"{named}: the pack at block {first + data.StartBlock} is longer for others");
        for (ulong bit = first; bit < end; bit++)
        {
            Blocks += IsSet(_packed, bit) ? 0ul : 1ul;
            Set(_packed, bit);
        }

        Set(_starts, first);
    }

    private static bool IsSet(ulong[] bits, ulong bit) => (bits[bit >> 6] >> (int)(bit & 63) & 1) != 0;

    private static void Set(ulong[] bits, ulong bit) => bits[bit >> 6] |= 1ul << (int)(bit & 63);
}
