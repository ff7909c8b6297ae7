// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Control;
using DeepLake.Storage;

namespace DeepLake.Laked.Serve;

/// <summary>Tells of the blocks that a device could not read, and where in the lake they are.</summary>
internal static class UnreadableBlocks
{
    /// <summary>One line; null when all that was asked for could be read.</summary>
    /// <param name="device">After everything that is wanted has been read.</param>
    /// <param name="superblock">Of the lake; null when it is not known.</param>
    internal static string? Describe(SalvagingDevice device, Superblock? superblock)
    {
        IReadOnlyList<long> offsets = device.Unreadable;
        if (offsets.Count == 0)
        {
            return null;
        }

        string first = $"at byte {offsets[0]} (block {offsets[0] / LakeFormat.BlockSize})";
        string where = superblock is { } known
            ? $"; they are of {string.Join(", ", offsets.GroupBy(o => PartOf(known, (ulong)o / LakeFormat.BlockSize)).Select(part => $"{part.Key} ({part.Count()})"))}"
            : "";
        return $"{ReportTexts.DeviceCannotRead}{offsets.Count} of its blocks (input/output error), the first {first}{where}";
    }

    private static string PartOf(in Superblock superblock, ulong block)
    {
        ReadOnlySpan<(Region Region, string Name)> parts =
        [
            (superblock.Ticket[0], "the checkpoints"), (superblock.Ticket[1], "the checkpoints"), (superblock.Wal, "the log"),
            (superblock.Index[0], "the index"), (superblock.Index[1], "the index"), (superblock.Pages, "the metadata pages"),
            (superblock.Sums, "the checksum table"), (superblock.Anchors, "the anchor table"), (superblock.Data, "the data"),
        ];
        foreach ((Region region, string name) in parts)
        {
            if (block >= region.StartBlock && block < region.StartBlock + region.Blocks)
            {
                return name;
            }
        }

        return block == LakeFormat.SuperblockABlock || block == superblock.DeviceBlocks - 1 ? "the superblocks" : "no part of the lake";
    }
}
