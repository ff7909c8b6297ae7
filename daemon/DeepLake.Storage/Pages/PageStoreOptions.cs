// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Storage;

/// <summary>Memory and pacing of a page store on a device; nothing here is part of the disk format
/// except <see cref="LogPageBits"/> and <see cref="Salt"/>, which a ticket remembers.</summary>
public sealed record PageStoreOptions
{
    /// <summary>For the log's tail and the cache of pages read from the device; the index comes on top.</summary>
    public long MemoryBytes { get; init; } = 48L << 20;

    /// <summary>log2 of FASTER's own page, its unit of memory and of free space; 0 = by the size of the log.</summary>
    public int LogPageBits { get; init; }

    /// <summary>
    /// The ticket of the checkpoint before the one that is opened: what only the newer one has is then read
    /// and checked at once. Damage found later would come too late to go back to the older one.
    /// </summary>
    public CheckpointTicket? Before { get; init; }

    /// <summary>Of what this opening writes into the log: another one each time. Null: drawn by lot.</summary>
    public ulong? Salt { get; init; }

    /// <summary>What laked uses.</summary>
    public static PageStoreOptions Default { get; } = new();
}
