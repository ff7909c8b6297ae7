// SPDX-License-Identifier: MPL-2.0
using DeepLake.Engine.Format;
using DeepLake.Storage.Faster;

namespace DeepLake.Engine;

/// <summary>What mkfs decides: identity, label (at most 64 bytes of UTF-8), and the root's first times.</summary>
public sealed record FormatOptions(Guid Uuid, string Label, DateTimeOffset Now)
{
    /// <summary>As in <see cref="EngineOptions"/>.</summary>
    internal PageStoreOpener OpenPages { get; init; } = FasterPageStore.Open;

    /// <summary>The archive's key, 32 bytes; null: a random one.</summary>
    internal byte[]? ArchiveKey { get; init; }

    /// <summary>Other sizes than a device of this size should have; the simulator's.</summary>
    internal LayoutSizes? Sizes { get; init; }
}
