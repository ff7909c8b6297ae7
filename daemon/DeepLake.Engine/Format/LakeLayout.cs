// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine.Format;

/// <summary>Decides at mkfs where the regions of a new lake lie. In blocks of 4096 bytes.</summary>
internal static class LakeLayout
{
    private const ulong MiB = (1 << 20) / LakeFormat.BlockSize;
    private const ulong PinBlocks = 62;
    private const ulong TicketBlocks = LakeFormat.TicketMax / LakeFormat.BlockSize;

    public static void Place(ref Superblock superblock, ulong deviceBlocks, LayoutSizes? sizes)
    {
        if (sizes is null && deviceBlocks < LakeFormat.MinDeviceBlocks)
        {
            throw new LakeFormatException(
                Errno.ENOSPC,
                $"the device has {deviceBlocks * LakeFormat.BlockSize / 1024 / 1024} MiB; a lake needs at least "
                + $"{LakeFormat.MinDeviceBlocks * LakeFormat.BlockSize / 1024 / 1024} MiB",
                "use a larger device or image file");
        }

        if (deviceBlocks > LakeFormat.MaxDeviceBlocks)
        {
            throw new LakeFormatException(
                Errno.EFBIG,
                $"the device has {deviceBlocks >> 28} TiB; a lake has {LakeFormat.MaxDeviceBlocks >> 28} TiB at most",
                "use a smaller device, or a partition of it");
        }

        sizes ??= SizesOf(deviceBlocks);
        ulong next = LakeFormat.SuperblockABlock + 1;
        superblock.DeviceBlocks = deviceBlocks;
        superblock.Pin = Take(ref next, PinBlocks);
        superblock.Ticket[0] = Take(ref next, TicketBlocks);
        superblock.Ticket[1] = Take(ref next, TicketBlocks);
        superblock.Wal = Take(ref next, sizes.WalBlocks);
        superblock.Index[0] = Take(ref next, sizes.IndexBlocks);
        superblock.Index[1] = Take(ref next, sizes.IndexBlocks);
        superblock.Pages = Take(ref next, sizes.PageBlocks);
        ulong rest = deviceBlocks - 1 - next;
        superblock.Sums = Take(ref next, SumsOf(rest));
        superblock.Anchors = Take(ref next, AnchorsOf(rest));
        superblock.Data = Take(ref next, deviceBlocks - 1 - next);
        superblock.CheckpointWalLsn = WalPosition.Start.Lsn;
        superblock.CheckpointWalOffset = (ulong)Bytes(sizes.FirstFrameBlock);
    }

    public static PageStoreGeometry PageStore(in Superblock superblock) => new(
        Bytes(superblock.Index[0].StartBlock),
        Bytes(superblock.Index[0].Blocks),
        Bytes(superblock.Index[1].StartBlock),
        Bytes(superblock.Index[1].Blocks),
        Bytes(superblock.Pages.StartBlock),
        Bytes(superblock.Pages.Blocks));

    public static long Bytes(ulong blocks) => (long)blocks * LakeFormat.BlockSize;

    /// <summary>Of the blocks that are left for data and its checksums, those for the checksums.</summary>
    private static ulong SumsOf(ulong blocks) => (blocks + LakeFormat.SumsPerBlock) / (LakeFormat.SumsPerBlock + 1);

    /// <summary>Pages of the anchor table: one for so many blocks of data.</summary>
    private static ulong AnchorsOf(ulong blocks) => (blocks + LakeFormat.AnchorDataBlocks - 1) / LakeFormat.AnchorDataBlocks;

    private static LayoutSizes SizesOf(ulong deviceBlocks)
    {
        ulong pages = Math.Max(deviceBlocks / 16, 24 * MiB);
        ulong index = Blocks(PageStoreGeometry.RecommendedIndexSlotBytes((long)pages * LakeFormat.BlockSize));
        return new LayoutSizes(Math.Clamp(deviceBlocks / 32, 8 * MiB, 64 * MiB), index, pages, 0);
    }

    private static ulong Blocks(long bytes) => (ulong)((bytes + LakeFormat.BlockSize - 1) / LakeFormat.BlockSize);

    private static Region Take(ref ulong next, ulong blocks)
    {
        var region = new Region { StartBlock = next, Blocks = blocks };
        next += blocks;
        return region;
    }
}
