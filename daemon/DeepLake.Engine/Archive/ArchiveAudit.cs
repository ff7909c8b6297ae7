// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.Format;
using DeepLake.Engine.State;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine.Archive;

/// <summary>Reads every segment that a lake has of its archive, as a rebuild would have to.</summary>
internal static class ArchiveAudit
{
    /// <summary>What is wrong, for a person; null when nothing is.</summary>
    /// <param name="state">Has the list of them.</param>
    /// <param name="device">The lake's; is only read.</param>
    /// <param name="superblock">Of the lake.</param>
    /// <param name="progress">As of <see cref="LakeEngine.MendChecksums"/>.</param>
    public static string? Run(LakeState state, IBlockDevice device, in Superblock superblock, Action<string, ulong, ulong, string> progress)
    {
        using AlignedBuffer buffer = ArchiveSegment.CreateBuffer();
        string? first = null;
        ulong damaged = 0;
        ulong done = 0;
        for (ulong from = 0; state.Archive.TryNext(from, out ulong number, out ArchiveItem item); from = number + 1)
        {
            progress("reading the archive", done, state.Counters.ArchiveBlocks, "blocks");
            done += item.Blocks;
            if (!IsWhole(device, number, item, superblock, buffer))
            {
                damaged++;
                first ??= $"segment {number} of the archive, at block {item.Block} of the device,";
            }
        }

        string? which = damaged > 1 ? $"{first} and {damaged - 1} more are damaged" : $"{first} is damaged";
        return first is null ? null : $"{which}: nothing is lost, but should the metadata be lost, not all of it would come back; lakectl repair has laked write a new base, within minutes of the next mount";
    }

    private static bool IsWhole(IBlockDevice device, ulong number, in ArchiveItem item, in Superblock superblock, AlignedBuffer buffer)
    {
        try
        {
            Span<byte> head = buffer.Slice(0, LakeFormat.BlockSize);
            device.Read(head, LakeLayout.Bytes(item.Block));
            return ArchiveSegment.TryParse(head, item.Block, out ArchiveHeader header)
                && header.Number == number && header.Kind == item.Kind && header.Blocks == item.Blocks
                && ArchiveSegment.TryRead(device, header, buffer, out Superblock copy)
                && ((ReadOnlySpan<byte>)copy.Uuid).SequenceEqual(superblock.Uuid);
        }
        catch (StorageException)
        {
            return false; // cannot be read
        }
    }
}
