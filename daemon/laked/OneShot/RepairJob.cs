// SPDX-License-Identifier: MPL-2.0
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Laked.Control;
using DeepLake.Storage;

namespace DeepLake.Laked.OneShot;

/// <summary>
/// Makes a lake whole again with the least that does: nothing, two checkpoints, or its metadata anew from
/// the archive (docs/archive.md). The plan is told before anything is written; what replaces metadata is
/// done only when it was asked for, and only when nothing less helps.
/// </summary>
internal static class RepairJob
{
    internal static RepairResult Run(RepairRequest request, Action<Response> send, CancellationToken cancellation)
    {
        using DirectBlockDevice direct = OneShotDevice.Open(request.DevicePath, readOnly: request.DryRun);
        using var device = new SalvagingDevice(direct);
        try
        {
            LakeCondition found = LakeCondition.Of(device, request.DevicePath, send, cancellation);
            if (request.Rebuild && found.Kind != RepairKind.Rebuild)
            {
                throw NeedsNoRebuild(request, found);
            }
            return found.Kind switch
            {
                RepairKind.Nothing when request.Full => ReadData(device, request, found, send, cancellation),
                RepairKind.Nothing => new RepairResult { Report = found.Report },
                RepairKind.Checkpoints => WriteCheckpoints(device, request, found, send, cancellation),
                RepairKind.Checksums => ChecksumJob.Run(device, request, found, send, cancellation),
                _ => RebuildJob.Run(device, request, found, send, cancellation),
            };
        }
        catch (StorageException failure) when (!failure.IsCorruption)
        {
            throw new CommandException(
                ErrorCode.ErrorGeneral,
                $"{request.DevicePath}: {failure.Message}",
                "see the kernel log (dmesg) for errors of the device; one of which very much cannot be read is copied to another device first, with a program that goes on after errors (such as ddrescue), and the copy repaired");
        }
    }

    // Of a lake that is whole as far as can be told without reading its data.
    private static RepairResult ReadData(
        SalvagingDevice device, RepairRequest request, LakeCondition found, Action<Response> send, CancellationToken cancellation) =>
        ChecksumJob.Run(device, request, found with { Kind = RepairKind.Checksums }, send, cancellation);

    private static CommandException NeedsNoRebuild(RepairRequest request, LakeCondition found) => new(
        ErrorCode.ErrorGeneral,
        $"the lake on {request.DevicePath} opens and its structure is sound: it is not rebuilt, and nothing was changed",
        found.Kind == RepairKind.Nothing
            ? $"there is nothing to repair; lakectl verify --full {request.DevicePath} reads the data, too"
            : $"lakectl repair {request.DevicePath} without --rebuild makes its superblocks, checkpoints and checksums whole");

    /// <summary>Of a lake that opens.</summary>
    internal static RepairPlan PlanOf(LakeCondition found)
    {
        var plan = new RepairPlan
        {
            Kind = found.Kind,
            FindingCount = found.FindingCount,
            Opens = true,
            Uuid = found.Stats!.Uuid.ToString(),
            Label = found.Stats.Label,
            StaysClean = found.EndedCleanly,
        };
        plan.Findings.AddRange(found.Findings);
        return plan;
    }

    private static RepairResult WriteCheckpoints(
        SalvagingDevice device, RepairRequest request, LakeCondition found, Action<Response> send, CancellationToken cancellation)
    {
        send(new Response { Progress = new Progress { RepairPlan = PlanOf(found) } });
        if (request.DryRun)
        {
            return new RepairResult { Kind = found.Kind, Outcome = RepairOutcome.Planned, Report = found.Report };
        }

        cancellation.ThrowIfCancellationRequested();
        LakeEngine.RequireWritable(device);
        using (LakeEngine engine = LakeEngine.Open(device, new DeviceCommitSink(device), SmallEngine.Options))
        {
            engine.MakeWhole(found.ArchiveIsDamaged);
        }

        device.Flush();
        LakeCondition now = LakeCondition.Of(device, request.DevicePath, send, CancellationToken.None);
        return now.Kind == RepairKind.Checksums ? ChecksumJob.Run(device, request, now, send, cancellation)
            : now.Kind == RepairKind.Nothing && request.Full ? ReadData(device, request, now, send, cancellation)
            : now.Kind == RepairKind.Nothing ? new RepairResult { Kind = found.Kind, Outcome = RepairOutcome.Repaired, Report = now.Report }
            : throw new CommandException(
                ErrorCode.ErrorGeneral,
                $"two checkpoints were written to {request.DevicePath}, but it is not whole: {now.Findings[0]}",
                "the device does not keep what is written to it; see the kernel log (dmesg)");
    }
}
