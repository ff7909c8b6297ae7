// SPDX-License-Identifier: MPL-2.0
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Laked.Control;
using DeepLake.Laked.Serve;
using DeepLake.Storage;

namespace DeepLake.Laked.OneShot;

/// <summary>
/// Checks a lake that is not mounted. Recovery runs on an overlay in memory, so that the device is only
/// read; what is checked is the state that the next mount will have.
/// </summary>
internal static class VerifyJob
{
    internal static VerifyReport Run(VerifyRequest request, Action<Response> send, CancellationToken cancellation)
    {
        using DirectBlockDevice direct = OneShotDevice.Open(request.DevicePath, readOnly: true);
        using var device = new SalvagingDevice(direct);
        var overlay = new ReadOnlyOverlayDevice(device);
        using LakeEngine engine = LakeEngine.Open(overlay, new DeviceCommitSink(overlay), SmallEngine.OptionsTelling(send, request.DevicePath));
        cancellation.ThrowIfCancellationRequested();
        send(Responses.Progress(request.Full ? "checking structure and data" : "checking the structure", 0, 0, "pages", request.DevicePath));
        string? archive = request.Full ? engine.AuditArchive(overlay, new PacedProgress(send, request.DevicePath, cancellation).Tell) : null;
        using var counted = new CountingDevice(overlay, engine.GetStats().UsedBlocks, send, cancellation);
        VerifyReport report = EngineCheck.Run(engine, request.Full ? counted : null, device);
        report.Notes.AddRange(LakeCondition.Checkpoints(engine, device));
        if (engine.AuditLog(overlay) is { } log)
        {
            report.Notes.Add(log.What);
        }

        if (archive is not null)
        {
            report.Notes.Add(archive);
        }

        if (LakeCondition.LostChecksums(engine) is { } lost)
        {
            report.Clean = false;
            report.ProblemCount++;
            report.Problems.Insert(0, lost);
        }

        if (UnreadableBlocks.Describe(device, engine.Superblock) is { } unreadable)
        {
            report.Notes.Add(unreadable);
        }

        return report;
    }
}
