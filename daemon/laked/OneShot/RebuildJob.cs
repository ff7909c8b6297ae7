// SPDX-License-Identifier: MPL-2.0
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Engine.Archive;
using DeepLake.Laked.Control;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Laked.OneShot;

/// <summary>The last resort of a repair: the metadata anew, from the archive in the data region.</summary>
internal sealed class RebuildJob
{
    private readonly SalvagingDevice _device;
    private readonly RepairRequest _request;
    private readonly LakeCondition _found;
    private readonly Action<Response> _send;
    private readonly CancellationToken _cancellation;
    private readonly PacedProgress _progress;
    private bool _isRebuilt;

    private RebuildJob(SalvagingDevice device, RepairRequest request, LakeCondition found, Action<Response> send, CancellationToken cancellation)
    {
        (_device, _request, _found, _send, _cancellation) = (device, request, found, send, cancellation);
        _progress = new PacedProgress(send, request.DevicePath, cancellation);
    }

    internal static RepairResult Run(
        SalvagingDevice device, RepairRequest request, LakeCondition found, Action<Response> send, CancellationToken cancellation) =>
        new RebuildJob(device, request, found, send, cancellation).Run();

    private RepairResult Run()
    {
        RebuildPlan plan = Plan();
        _send(new Response { Progress = new Progress { RepairPlan = Describe(plan) } });
        if (!_request.Rebuild || (!_request.Yes && !_request.DryRun))
        {
            return new RepairResult { Kind = RepairKind.Rebuild, Outcome = _request.Rebuild ? RepairOutcome.NeedsYes : RepairOutcome.NeedsRebuild };
        }

        if (_request.DryRun)
        {
            RepairResult would = RunOn(new ReadOnlyOverlayDevice(_device), plan);
            would.Outcome = RepairOutcome.Planned;
            return would;
        }

        Rehearse(plan);

        try
        {
            return RunOn(_device, plan);
        }
        catch (OperationCanceledException)
        {
            throw _isRebuilt
                ? new CommandException(
                    ErrorCode.ErrorInterrupted,
                    $"the lake on {_request.DevicePath} is rebuilt, but checking it was interrupted",
                    $"check it with lakectl verify --full {_request.DevicePath}")
                : new CommandException(
                    ErrorCode.ErrorInterrupted,
                    $"the rebuild of {_request.DevicePath} was interrupted: the lake cannot be opened, and the archive is what it was",
                    $"begin again with lakectl repair --rebuild --yes {_request.DevicePath}");
        }
    }

    private RebuildPlan Plan()
    {
        try
        {
            ulong bytes = (ulong)_device.LengthBytes;
            ArchiveSurvey survey = ArchiveSurvey.Read(_device, done => _progress.Tell("looking for the archive", (ulong)done, bytes, "bytes"));
            _progress.Tell("reading the archive", 0, (ulong)survey.Segments.Count, "segments");
            using var planner = new RebuildPlanner(_device);
            return planner.Plan(survey);
        }
        catch (LakeFormatException failure) when (failure.Errno == Errno.ENODATA)
        {
            throw new CommandException(
                ErrorCode.ErrorGeneral,
                $"{_request.DevicePath}: {_found.Findings[0]}; {failure.Message}; nothing was changed",
                $"check the device name; if this was a lake, {failure.NextStep}");
        }
    }

    private RepairPlan Describe(RebuildPlan plan)
    {
        var told = new RepairPlan
        {
            Kind = RepairKind.Rebuild,
            FindingCount = _found.FindingCount,
            Opens = _found.Stats is not null,
            Uuid = plan.Uuid.ToString(),
            Label = plan.Label,
            Source = new RebuildSource
            {
                BaseSegments = (uint)plan.Base.Count,
                BaseSeq = plan.Base.Count == 0 ? 0 : plan.Base[0].Seq,
                LogSegments = (uint)plan.Logs.Count,
                RegionFrames = (uint)plan.Frames.Count,
                Seq = plan.Seq,
                ArchivedSec = (ulong)plan.ArchivedAt.ToUnixTimeSeconds(),
                KnownSeq = Math.Max(plan.KnownSeq, _found.Stats?.AppliedSeq ?? 0),
                Complete = plan.IsComplete && plan.Seq >= (_found.Stats?.AppliedSeq ?? 0),
            },
        };
        told.Findings.AddRange(_found.Findings);
        told.Source.Notes.AddRange(plan.Notes);
        return told;
    }

    /// <summary>
    /// In memory, without the data: an archive that contradicts itself is found before anything is written,
    /// and a lake that opens in spite of what is wrong is given up only for one that is sound.
    /// </summary>
    private void Rehearse(RebuildPlan plan)
    {
        var overlay = new ReadOnlyOverlayDevice(_device);
        new LakeRebuilder(overlay, plan, SmallEngine.Options) { ProvesData = false, Progress = _progress.Tell }.Run();
        LakeCondition would = LakeCondition.Of(overlay, _request.DevicePath, _send, _cancellation);
        if (would.Kind == RepairKind.Rebuild)
        {
            throw new CommandException(
                ErrorCode.ErrorGeneral,
                $"what the archive of {_request.DevicePath} holds is not sound either ({would.Findings[0]}): nothing was changed",
                _found.Stats is null ? "restore the device from a backup" : "mount it read-only, and copy what you can read to another place");
        }
    }

    private RepairResult RunOn(IBlockDevice target, RebuildPlan plan)
    {
        RebuildResult rebuilt = Rebuild(target, plan);
        target.Flush();
        _isRebuilt = true;
        var overlay = new ReadOnlyOverlayDevice(target);
        using LakeEngine engine = LakeEngine.Open(overlay, new DeviceCommitSink(overlay), SmallEngine.Options);
        var result = new RepairResult
        {
            Kind = RepairKind.Rebuild,
            Outcome = RepairOutcome.Repaired,
            Report = Check(target, overlay, engine),
            BlocksRead = rebuilt.BlocksRead,
            DamagedBlocks = rebuilt.DamagedBlocks,
            MendedSums = rebuilt.MendedSums,
            UnprovenBlocks = rebuilt.UnprovenBlocks,
        };
        result.UnprovenFiles.AddRange(UnprovenFiles.Named(rebuilt.UnprovenFiles, engine));
        return result;
    }

    private RebuildResult Rebuild(IBlockDevice target, RebuildPlan plan) => new LakeRebuilder(target, plan, SmallEngine.Options)
    {
        Progress = _progress.Tell,
    }.Run();

    /// <summary>Everything, as the next mount will have it.</summary>
    private VerifyReport Check(IBlockDevice target, IBlockDevice overlay, LakeEngine engine)
    {
        _send(Responses.Progress("checking structure and data", 0, 0, "pages", _request.DevicePath));
        using var counted = new CountingDevice(overlay, engine.GetStats().UsedBlocks, _send, _cancellation);
        return EngineCheck.Run(engine, counted, target);
    }
}
