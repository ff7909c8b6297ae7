// SPDX-License-Identifier: MPL-2.0
using DeepLake.Storage;
using DeepLake.Storage.Faster;

namespace DeepLake.Engine;

/// <summary>Budgets of one engine, in bytes.</summary>
public sealed record EngineOptions
{
    /// <summary>Tree pages cached in front of the page store.</summary>
    public long TreeCacheBytes { get; init; } = 16L << 20;

    /// <summary>Memory of the page store itself.</summary>
    public long PageStoreBytes { get; init; } = 32L << 20;

    /// <summary>
    /// A new base of the archive is wanted when reading the log since the last costs this much, or twice what
    /// the tree has if that is more.
    /// </summary>
    public ulong ArchiveBaseBytes { get; init; } = 16UL << 20;

    /// <summary>
    /// Where the archive is read and written; the caller's. The lake's own device when null: one that
    /// latches its first failure would take the lake along.
    /// </summary>
    public IBlockDevice? ArchiveDevice { get; init; }

    /// <summary>
    /// A log that a device cannot read where it ends (<see cref="SalvagingDevice"/>) is taken for one that ends there,
    /// and what may have been recorded is told as lost; else such a lake is not opened, as another attempt may read it.
    /// </summary>
    public bool EndsUnreadLog { get; init; }

    /// <summary>What is written is not kept: a mount begins no epoch, as nothing of it would be found by a successor.</summary>
    public bool OnlyReads { get; init; }

    /// <summary>Wall clock, only for superblock times.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Called on the opening thread before the first change of the log is replayed; not when there is none.</summary>
    public Action? Replaying { get; init; }

    /// <summary>The simulator has a twin.</summary>
    internal PageStoreOpener OpenPages { get; init; } = FasterPageStore.Open;
}
