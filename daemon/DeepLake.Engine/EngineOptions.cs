// SPDX-License-Identifier: MPL-2.0
using DeepLake.Storage.Faster;

namespace DeepLake.Engine;

/// <summary>Budgets of one engine, in bytes.</summary>
public sealed record EngineOptions
{
    /// <summary>Tree pages cached in front of the page store.</summary>
    public long TreeCacheBytes { get; init; } = 16L << 20;

    /// <summary>Memory of the page store itself.</summary>
    public long PageStoreBytes { get; init; } = 32L << 20;

    /// <summary>Wall clock, only for superblock times.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Called on the opening thread before the first change of the log is replayed; not when there is none.</summary>
    public Action? Replaying { get; init; }

    /// <summary>The simulator has a twin.</summary>
    internal PageStoreOpener OpenPages { get; init; } = FasterPageStore.Open;
}
