// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using DeepLake.Client;
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Engine.Ingest;
using DeepLake.Laked.Control;
using DeepLake.Laked.Import;
using DeepLake.Laked.Ingest;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Laked.OneShot;

/// <summary>
/// Packs the files of a lake that is not mounted, and rewrites packs that are hardly used any more: what the daemon
/// does for a mounted one, at once.
/// </summary>
internal static class GcJob
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(1);

    internal static GcResult Run(GcRequest request, Action<Response> send, CancellationToken cancellation)
    {
        using DirectBlockDevice device = OneShotDevice.Open(request.DevicePath, readOnly: request.DryRun);
        if (request.DryRun)
        {
            var overlay = new ReadOnlyOverlayDevice(device);
            using LakeEngine looked = LakeEngine.Open(overlay, new DeviceCommitSink(overlay), SmallEngine.OptionsTelling(send, request.DevicePath));
            return Run(request, looked, overlay, send, cancellation);
        }

        LakeEngine.RequireWritable(device);
        using LakeEngine engine = LakeEngine.Open(device, new DeviceCommitSink(device), new EngineOptions());
        if (!engine.WasClean)
        {
            throw new CommandException(
                ErrorCode.ErrorGeneral, $"the lake on {request.DevicePath} was not unmounted cleanly; nothing was changed", "mount and unmount it first");
        }

        try
        {
            return Run(request, engine, device, send, cancellation);
        }
        finally
        {
            engine.MarkClean(); // each part that was moved is right by itself, also when the rest was not
        }
    }

    private static GcResult Run(GcRequest request, LakeEngine engine, IBlockDevice device, Action<Response> send, CancellationToken cancellation)
    {
        var lake = new LakeClient(engine, ImportRefusal.Of, TimeProvider.System, new Random());
        if (!request.DryRun)
        {
            engine.BeginEpoch(lake.Now(), isMount: false);
        }

        using var table = new ChecksumTable(device, engine.Superblock);
        using var reader = new PieceReader(device, table);
        using var store = new PackStore(engine, lake, device, table);
        var clock = Stopwatch.StartNew();
        TimeSpan toldAt = TimeSpan.Zero;
        var asked = new PackRequest { IsAsked = true, IsAll = request.All, IsDryRun = request.DryRun };
        var policy = new PackPolicy(request.All ? TimeSpan.Zero : PackPolicy.UsualAge);
        var pass = new PackPass(new PackIngest(engine, store, reader), new PackCollector(engine, store, reader), work => work(engine), policy, () => clock.Elapsed, TimeProvider.System)
        {
            Pace = _ => { },
            MustYield = () => false,
            IsStopped = BetweenSteps,
            Wait = () => throw new InvalidOperationException("packing waits for what has been done"), // all is applied at once
            Packed = (_, _) => { },
        };
        pass.Ask(asked);
        pass.Work();
        return GcCommand.ResultOf(request.DevicePath, asked);

        bool BetweenSteps()
        {
            cancellation.ThrowIfCancellationRequested();
            lake.BeginGroup();
            if (clock.Elapsed - toldAt >= ProgressInterval)
            {
                toldAt = clock.Elapsed;
                send(new Response { Progress = GcCommand.ProgressOf(request.DevicePath, asked) });
            }

            return false;
        }
    }
}
