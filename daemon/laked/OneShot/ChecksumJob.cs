// SPDX-License-Identifier: MPL-2.0
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Engine.Archive;
using DeepLake.Laked.Control;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Laked.OneShot;

/// <summary>
/// A lake whose checksum table is lost in places, or damaged: the files' identities prove their data, and the entries
/// are written anew.
/// </summary>
internal static class ChecksumJob
{
    internal static RepairResult Run(
        SalvagingDevice device, RepairRequest request, LakeCondition found, Action<Response> send, CancellationToken cancellation)
    {
        send(new Response { Progress = new Progress { RepairPlan = RepairJob.PlanOf(found) } });
        cancellation.ThrowIfCancellationRequested();
        var progress = new PacedProgress(send, request.DevicePath, cancellation);
        IBlockDevice target = request.DryRun ? new ReadOnlyOverlayDevice(device) : device;

        LakeEngine.RequireWritable(device);
        // what the log adds is applied in memory only: nothing but the table is written
        var overlay = new ReadOnlyOverlayDevice(device);
        using LakeEngine engine = LakeEngine.Open(overlay, new DeviceCommitSink(overlay), SmallEngine.Options);
        MendedChecksums mended = engine.MendChecksums(target, progress.Tell);
        target.Flush();
        var result = new RepairResult
        {
            Kind = RepairKind.Checksums,
            Outcome = mended.MendedSums + mended.UnprovenBlocks == 0 ? RepairOutcome.Unchanged
                : request.DryRun ? RepairOutcome.Planned
                : RepairOutcome.Repaired,
            Report = LakeCondition.Of(target, request.DevicePath, send, CancellationToken.None).Report,
            BlocksRead = mended.BlocksRead,
            DamagedBlocks = mended.DamagedBlocks,
            MendedSums = mended.MendedSums,
            UnprovenBlocks = mended.UnprovenBlocks,
        };
        result.UnprovenFiles.AddRange(UnprovenFiles.Named(mended.UnprovenFiles, engine));
        return result;
    }
}
