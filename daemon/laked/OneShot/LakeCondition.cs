// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Laked.Control;
using DeepLake.Laked.Serve;
using DeepLake.Metadata;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Laked.OneShot;

/// <summary>How an unmounted lake is, found without writing: whether it opens, and what is wrong with it.</summary>
/// <param name="Kind">The least that makes it whole.</param>
/// <param name="Findings">What is wrong, the first of it.</param>
/// <param name="FindingCount">All of it.</param>
/// <param name="Report">Of its structure; null when it does not open.</param>
/// <param name="Stats">Null when it does not open.</param>
/// <param name="EndedCleanly">It has the clean mark.</param>
/// <param name="ArchiveIsDamaged">Segments of its archive are, or frames that it has yet to take; a new base makes up for them.</param>
/// <param name="Superblock">Null when it does not open.</param>
internal sealed record LakeCondition(
    RepairKind Kind, IReadOnlyList<string> Findings, ulong FindingCount, VerifyReport? Report, EngineStats? Stats, bool EndedCleanly,
    bool ArchiveIsDamaged = false, Superblock? Superblock = null)
{
    /// <exception cref="LakeFormatException">The lake is not damaged, but not one for this version or this device.</exception>
    internal static LakeCondition Of(IBlockDevice device, string path, Action<Response> send, CancellationToken cancellation)
    {
        LakeCondition found = Look(device, path, send, cancellation);
        return found.Kind != RepairKind.Nothing && device is SalvagingDevice salvaging && UnreadableBlocks.Describe(salvaging, found.Superblock) is { } unreadable
            ? found with { Findings = [.. found.Findings, unreadable], FindingCount = found.FindingCount + 1 }
            : found;
    }

    private static LakeCondition Look(IBlockDevice device, string path, Action<Response> send, CancellationToken cancellation)
    {
        var overlay = new ReadOnlyOverlayDevice(device);
        try
        {
            using LakeEngine engine = LakeEngine.Open(overlay, new DeviceCommitSink(overlay), SmallEngine.OptionsTelling(send, path));
            cancellation.ThrowIfCancellationRequested();
            send(Responses.Progress("checking the structure", 0, 0, "pages", path));
            VerifyReport report = EngineCheck.Run(engine, null, device);
            report.Notes.AddRange(Checkpoints(engine, device));

            string? archive = engine.AuditArchive(overlay, new PacedProgress(send, path, cancellation).Tell);
            if (archive is not null)
            {
                report.Notes.Add(archive);
            }

            LogFinding? log = engine.AuditLog(overlay);
            if (log is not null)
            {
                report.Notes.Add(log.What);
            }

            bool hasLost = engine.LogLoss is not null;
            ulong structural = report.ProblemCount - (engine.FellBack ? 1ul : 0ul) - (hasLost ? 1ul : 0ul);
            RepairKind kind = structural > 0 ? RepairKind.Rebuild
                : engine.FellBack || hasLost || report.Notes.Count > 0 ? RepairKind.Checkpoints
                : RepairKind.Nothing;
            if (kind == RepairKind.Nothing && LostChecksums(engine) is { } lost)
            {
                report.Notes.Add(lost);
                kind = RepairKind.Checksums;
            }

            return new LakeCondition(
                kind, [.. report.Problems, .. report.Notes], report.ProblemCount + (ulong)report.Notes.Count, report, engine.GetStats(), engine.EndedCleanly,
                archive is not null || log is { IsKept: true }, engine.Superblock);
        }
        catch (LakeFormatException failure) when (failure.Errno is Errno.EUCLEAN or Errno.EINVAL)
        {
            return Closed(failure.Message);
        }
        catch (StorageException failure) when (failure.IsCorruption)
        {
            return Closed(failure.Message);
        }
        catch (MetadataCorruptException failure)
        {
            return Closed(failure.Message);
        }
    }

    /// <summary>
    /// What is wrong with the checkpoints, and costs nothing: the one before the newest, unless it is the one that was
    /// used, and the index of the pages.
    /// </summary>
    internal static IEnumerable<string> Checkpoints(LakeEngine engine, IBlockDevice device)
    {
        if (!engine.FellBack && LakeNotes.OfOlderCheckpoint(device) is { } older)
        {
            yield return older;
        }

        if (engine.IndexWasDamaged)
        {
            yield return ReportTexts.IndexIsDamaged;
        }
    }

    /// <summary>What is lost of the checksum table; null when nothing is.</summary>
    internal static string? LostChecksums(LakeEngine engine) => engine.CountLostChecksums() is > 0 and ulong lost
        ? $"the checksum table is gone in {lost} of its blocks, each for 4 MiB of the device, so what was checked there cannot be read"
        : null;

    private static LakeCondition Closed(string why) => new(RepairKind.Rebuild, [why], 1, null, null, false);
}
