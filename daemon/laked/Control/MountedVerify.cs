// SPDX-License-Identifier: MPL-2.0
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Laked.OneShot;
using DeepLake.Laked.Serve;
using DeepLake.Storage;

namespace DeepLake.Laked.Control;

/// <summary>
/// Checks a mounted lake: a checkpoint of it, which is held on the device while this thread reads it
/// there. The engine's thread takes the checkpoint and goes on.
/// </summary>
internal static class MountedVerify
{
    private const int Attempts = 3;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    internal static VerifyReport Run(LakeServer server, bool full, Action<Response> send)
    {
        if (full)
        {
            throw new CommandException(
                ErrorCode.ErrorBusy,
                $"{server.DevicePath} is mounted: its data may change while it is read, so --full is not possible",
                "check the structure without --full, or unmount the lake first; a root filesystem is unmounted only while another system runs");
        }
        send(Responses.Progress("checking the structure", 0, 0, "pages", server.DevicePath));
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            if (TryRun(server) is { } report)
            {
                report.TakenOver = server.IsSuccessor;
                return report;
            }
        }
        throw new CommandException(
            ErrorCode.ErrorBusy, $"the metadata of {server.DevicePath} changes faster than it can be read", "try again, or unmount the lake first");
    }

    // Null: the checkpoint's room was needed before it had been read.
    private static VerifyReport? TryRun(LakeServer server)
    {
        SnapshotSource? source = null;
        VerifyReport? report = null;
        bool wasClean = false;
        ulong replayed = 0;
        string? loss = null;
        string[] notes = [];
        OnEngine(server, (engine, device) =>
        {
            // A read-only device has nothing to hold: what changed is in the engine's memory only.
            if (device is not ReadOnlyOverlayDevice)
            {
                wasClean = engine.WasClean;
                replayed = engine.ReplayedIntents;
                loss = engine.LogLoss;
                // On this thread, which writes them: none is half written now.
                notes = [.. LakeNotes.Of(device)];
                source = engine.HoldSnapshot() ?? throw new CommandException(
                    ErrorCode.ErrorBusy, $"{server.DevicePath} is being checked already", "wait until that is done");
            }
            else
            {
                report = EngineCheck.Run(engine, null, device);
            }
        });
        if (source is null)
        {
            return report;
        }
        Exception? failure = null;
        try
        {
            report = Check(server.DevicePath, source);
            report.UnmountedCleanly = wasClean;
            report.ReplayedIntents = replayed;
            report.Notes.AddRange(notes);
            EngineCheck.AddLogLoss(report, loss);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            failure = e;
        }
        bool wasHeld = false;
        OnEngine(server, (engine, _) => wasHeld = engine.ReleaseSnapshot());
        if (!wasHeld)
        {
            return null;
        }
        return failure is null ? report : throw failure;
    }

    private static VerifyReport Check(string path, SnapshotSource source)
    {
        using DirectBlockDevice device = DirectBlockDevice.Open(path, readOnly: true);
        using LakeSnapshot snapshot = LakeSnapshot.Open(device, source, SmallEngine.Options);
        return EngineCheck.Run(snapshot.Tree, snapshot.Counters, source.Superblock);
    }

    private static void OnEngine(LakeServer server, Action<LakeEngine, IBlockDevice> work)
    {
        if (!server.Commands.TryRun(work, Patience))
        {
            throw new CommandException(ErrorCode.ErrorGeneral, $"{server.DevicePath} is not served any more", "see lakectl stats");
        }
    }
}
