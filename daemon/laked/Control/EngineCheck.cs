// SPDX-License-Identifier: MPL-2.0
using DeepLake.Check;
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Metadata.Tree;
using DeepLake.Storage;

namespace DeepLake.Laked.Control;

/// <summary>Runs the checker on the state of an engine; the caller is on the engine's thread.</summary>
internal static class EngineCheck
{
    /// <param name="engine">Whose tree is checked.</param>
    /// <param name="device">Where data blocks are read; null when they may change meanwhile.</param>
    internal static VerifyReport Run(LakeEngine engine, IBlockDevice? device)
    {
        BTree tree = engine.TreeForCheck();
        (ulong root, uint height) = tree.RootForCheck();
        var target = new CheckTarget
        {
            ReadPage = tree.CopyPage,
            ReadData = device is null ? null : device.Read,
            Root = root,
            Height = height,
            PageCount = tree.PageCount,
            Data = engine.Superblock.Data,
            Uuid = engine.GetStats().Uuid,
            Counters = engine.CountersForCheck(),
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
            UnmountedCleanly = engine.WasClean,
            ReplayedIntents = engine.ReplayedIntents,
        };
        report.Problems.AddRange(check.Findings);
        return report;
    }
}
