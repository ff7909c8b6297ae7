// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Check;
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Metadata.Tree;
using DeepLake.Storage;

namespace DeepLake.Laked.Control;

/// <summary>Runs the checker on a tree that nobody changes meanwhile.</summary>
internal static class EngineCheck
{
    /// <summary>The state of an engine; the caller is on its thread.</summary>
    /// <param name="engine">Whose tree is checked.</param>
    /// <param name="device">Where data blocks are read; null when they may change meanwhile.</param>
    /// <param name="notesFrom">Where the superblocks are read.</param>
    internal static VerifyReport Run(LakeEngine engine, IBlockDevice? device, IBlockDevice notesFrom)
    {
        BTree tree = engine.TreeForCheck();
        EngineState counters = engine.CountersForCheck();
        VerifyReport report = Run(tree, counters, engine.Superblock, device, engine.EvidenceAfter);
        report.UnmountedCleanly = engine.WasClean;
        report.ReplayedIntents = engine.ReplayedIntents;
        report.Notes.AddRange(LakeNotes.Of(notesFrom));
        AddUnknownEnd(report, engine.WhyEndIsUnknown);
        AddLogLoss(report, engine.LogLoss);
        if (engine.FellBack)
        {
            report.Clean = false;
            report.ProblemCount++;
            report.Problems.Insert(
                0, $"{ReportTexts.CheckpointIsDamaged}{engine.Damage}. Nothing is lost: the checkpoint before it and the log give the same state, and the next mount, or lakectl repair, writes a new one");
        }

        return report;
    }

    /// <summary>Says why it is not known whether the lake was unmounted cleanly; nothing when that is known.</summary>
    internal static void AddUnknownEnd(VerifyReport report, string? why)
    {
        if (why is not null && ReportTexts.RestOf(report.Notes, ReportTexts.EndIsUnknown) is null)
        {
            report.Notes.Add(ReportTexts.EndIsUnknown + why);
        }
    }

    /// <summary>What was recorded and is lost is a problem, though the structure is sound; nothing when nothing is.</summary>
    internal static void AddLogLoss(VerifyReport report, string? loss)
    {
        if (loss is not null)
        {
            report.Clean = false;
            report.ProblemCount++;
            report.Problems.Insert(0, ReportTexts.LogIsDamaged + loss);
        }
    }

    /// <summary>The structure of a state.</summary>
    internal static VerifyReport Run(BTree tree, EngineState counters, in Superblock superblock) =>
        Run(tree, counters, superblock, null, counters.UncleanSeq);

    private static VerifyReport Run(BTree tree, EngineState counters, in Superblock superblock, IBlockDevice? device, ulong evidenceAfter)
    {
        (ulong root, uint height) = tree.RootForCheck();
        var target = new CheckTarget
        {
            ReadPage = tree.CopyPage,
            ReadData = device is null ? null : device.Read,
            Root = root,
            Height = height,
            PageCount = tree.PageCount,
            Data = superblock.Data,
            Sums = superblock.Sums,
            Uuid = new Guid(superblock.Uuid, bigEndian: true),
            Counters = counters,
            EvidenceAfter = evidenceAfter,
        };
        CheckReport check = LakeChecker.Check(target, new CheckOptions { Full = device is not null });
        var report = new VerifyReport
        {
            Clean = check.IsClean,
            ProblemCount = (ulong)check.FindingCount,
            Inodes = check.Inodes,
            DirectoryEntries = check.Names,
            Extents = check.Extents,
            DataBlocks = check.MappedBlocks,
            Pages = check.Pages,
            BlocksRead = check.VerifiedBlocks,
        };
        report.Problems.AddRange(check.Findings);
        return report;
    }
}
