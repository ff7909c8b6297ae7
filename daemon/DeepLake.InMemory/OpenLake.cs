// SPDX-License-Identifier: MPL-2.0
using DeepLake.Client;
using DeepLake.Engine;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.InMemory;

/// <summary>The lake between one opening and the next: everything that a power cut takes away.</summary>
internal sealed class OpenLake : IDisposable
{
    private static readonly EngineOptions Budgets = new() { TreeCacheBytes = 4 << 20, PageStoreBytes = 8 << 20 };

    private OpenLake(MemoryDisk disk, LakeEngine engine, InMemoryLakeOptions options)
    {
        Engine = engine;
        Client = new LakeClient(engine, Refuse, options.Clock, options.Generations) { IsGrouping = true };
        Paths = new PathResolver(Client);
        Reader = new FileReader(engine, disk);
    }

    public LakeEngine Engine { get; }

    public LakeClient Client { get; }

    public PathResolver Paths { get; }

    public FileReader Reader { get; }

    /// <summary>What is told of when the engine refuses.</summary>
    public string Path { get; set; } = "/";

    /// <summary>Recovers what is durable, and begins a mount.</summary>
    public static OpenLake Open(MemoryDisk disk, InMemoryLakeOptions options)
    {
        LakeEngine engine = LakeEngine.Open(disk, new DeviceCommitSink(disk), Budgets with { Clock = options.Clock });
        try
        {
            if (!options.KeepsArchive)
            {
                engine.PauseArchive("a lake in memory keeps none");
            }

            var lake = new OpenLake(disk, engine, options);
            engine.BeginEpoch(lake.Client.Now());
            return lake;
        }
        catch
        {
            engine.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Reader.Dispose();
        Engine.Dispose();
    }

    private LakeException Refuse(Errno reason, string what) => new(reason, Path, reason == Errno.ENOSPC
        ? "the lake is full; nothing was changed"
        : $"cannot {what}: {Linux.Describe(reason)}");
}
