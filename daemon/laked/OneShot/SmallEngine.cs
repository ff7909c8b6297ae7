// SPDX-License-Identifier: MPL-2.0
using DeepLake.Engine;

namespace DeepLake.Laked.OneShot;

/// <summary>Budgets of an engine that only looks at a lake.</summary>
internal static class SmallEngine
{
    internal static EngineOptions Options { get; } = new() { TreeCacheBytes = 8 << 20, PageStoreBytes = 16 << 20 };
}
