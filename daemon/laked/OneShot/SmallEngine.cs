// SPDX-License-Identifier: MPL-2.0
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Laked.Control;

namespace DeepLake.Laked.OneShot;

/// <summary>Budgets of an engine that only looks at a lake.</summary>
internal static class SmallEngine
{
    internal static EngineOptions Options { get; } = new() { TreeCacheBytes = 8 << 20, PageStoreBytes = 16 << 20, EndsUnreadLog = true };

    /// <summary>The same; says so when the log has something to replay, which may take a while.</summary>
    internal static EngineOptions OptionsTelling(Action<Response> send, string devicePath) =>
        Options with { Replaying = () => send(Responses.Progress("recovering", 0, 0, "pages", devicePath)) };
}
