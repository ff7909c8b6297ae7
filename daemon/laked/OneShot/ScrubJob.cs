// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Engine.Scrub;
using DeepLake.Laked.Control;
using DeepLake.Laked.Ingest;
using DeepLake.Laked.Scrub;
using DeepLake.Laked.Serve;
using DeepLake.Storage;

namespace DeepLake.Laked.OneShot;

/// <summary>
/// Scrub of a lake that is not mounted. Nothing on the device changes: a pass is done from its
/// beginning to its end, and neither it nor what it finds is written down.
/// </summary>
internal static class ScrubJob
{
    internal static ScrubReport Run(ScrubRequest request, Action<Response> send, CancellationToken cancellation)
    {
        if (request.Action == ScrubAction.ScrubStop)
        {
            throw new CommandException(ErrorCode.ErrorUsage, $"{request.DevicePath} is not mounted: nobody scrubs it", "what a mounted lake has not finished goes on when it is mounted again");
        }

        using DirectBlockDevice direct = OneShotDevice.Open(request.DevicePath, readOnly: true);
        using var device = new SalvagingDevice(direct);
        var overlay = new ReadOnlyOverlayDevice(device);
        using LakeEngine engine = LakeEngine.Open(overlay, new DeviceCommitSink(overlay), SmallEngine.OptionsTelling(send, request.DevicePath));
        cancellation.ThrowIfCancellationRequested();
        if (request.Action == ScrubAction.ScrubStatus)
        {
            return Written(request.DevicePath, engine);
        }

        var ledger = new ScrubLedger();
        ledger.Start(request.BytesPerSecond, ScrubThread.Now());
        using var fresh = new ReopenedDevice(() => DirectBlockDevice.Open(request.DevicePath, readOnly: true));
        using var counted = new CountingDevice(fresh, engine.GetStats().CheckedBlocks, send, cancellation);
        using var reader = new ScrubReader(counted, engine.Superblock) { Pace = Pace(request.BytesPerSecond, cancellation) };
        var pass = new ScrubPass(engine, reader, ledger) { Now = ScrubThread.Now };
        while (ledger.IsRunning)
        {
            cancellation.ThrowIfCancellationRequested();
            pass.Advance();
        }

        return ScrubReports.Of(request.DevicePath, ledger.Copy(), engine);
    }

    // As it was left: of a lake that nobody has mounted nothing is under way.
    internal static ScrubReport Written(string path, LakeEngine engine)
    {
        ScrubReport report = ScrubReports.Of(path, engine.LoadScrub(), engine);
        report.State = report.State == "running" ? "waiting" : report.State;
        return report;
    }

    // As fast as the device is, unless somebody says how fast: nobody else uses the lake.
    private static Action<int>? Pace(ulong bytesPerSecond, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        return bytesPerSecond == 0 ? null : new IngestPacer(
            () => clock.Elapsed, time => cancellation.WaitHandle.WaitOne(time), () => false, _ => (long)Math.Min(bytesPerSecond, long.MaxValue)).Allow;
    }
}
