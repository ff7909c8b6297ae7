// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Subtree;

/// <summary>What a file, or a folder with all that is in it, holds; an inode with several names in it counts once.</summary>
public sealed class SubtreeTotals
{
    /// <summary>Zones that there may be; what has a higher number counts for the last.</summary>
    public const int ZonesMost = 16;

    public ulong Files { get; internal set; }

    /// <summary>The folder itself is one of them.</summary>
    public ulong Directories { get; internal set; }

    public ulong Symlinks { get; internal set; }

    /// <summary>Devices, pipes, sockets.</summary>
    public ulong Specials { get; internal set; }

    /// <summary>Further names of files that have been counted.</summary>
    public ulong FurtherNames { get; internal set; }

    /// <summary>The sizes of the files, holes included.</summary>
    public ulong LogicalBytes { get; internal set; }

    /// <summary>Blocks that the files map, a shared one for each of them: what du adds up.</summary>
    public ulong MappedBlocks { get; internal set; }

    /// <summary>Of these, preallocated and not written.</summary>
    public ulong UnwrittenBlocks { get; internal set; }

    /// <summary>Of these, not written in place any more.</summary>
    public ulong SealedBlocks { get; internal set; }

    /// <summary>Of these, compared with a checksum whenever they are read.</summary>
    public ulong CheckedBlocks { get; internal set; }

    /// <summary>Blocks of the device that the files have, each once.</summary>
    public ulong StoredBlocks { get; internal set; }

    /// <summary>Of these, the ones that nothing outside refers to: what deleting it all would free.</summary>
    public ulong ExclusiveBlocks { get; internal set; }

    /// <summary>
    /// What the files would take more if they shared nothing among them, and nothing were compressed. None when they
    /// have little of packs that others fill.
    /// </summary>
    public ulong SavedBlocks => MappedBlocks > StoredBlocks ? MappedBlocks - StoredBlocks : 0;

    /// <summary>By the number of the zone; there is one now, 0.</summary>
    public IReadOnlyList<ZoneTotals> Zones => _zones;

    private readonly ZoneTotals[] _zones = new ZoneTotals[ZonesMost];

    internal ulong Inodes => Files + Directories + Symlinks + Specials;

    internal void AddToZone(uint zone, ulong logicalBytes, ulong mappedBlocks)
    {
        ref ZoneTotals totals = ref _zones[Math.Min(zone, ZonesMost - 1)];
        totals = new ZoneTotals(totals.Inodes + 1, totals.LogicalBytes + logicalBytes, totals.MappedBlocks + mappedBlocks);
    }
}
