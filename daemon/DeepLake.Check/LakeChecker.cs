// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Check;

/// <summary>
/// The structure of a lake, proven from its pages alone: every inode reachable and counted right, both
/// directions of every link, every block's references counted and the free-space map equal to the maps.
/// </summary>
public static class LakeChecker
{
    public static CheckReport Check(CheckTarget target, CheckOptions options)
    {
        var findings = new Findings(options.MaxFindings, options.MaxDamage);
        var damaged = new DamagedPlaces(findings, options.PlacesPerFile);
        bool readsData = options.Full && target.ReadData is not null;
        using var items = new ItemChecker(target, findings, damaged, readsData ? new ContentVerifier(findings) : null);
        var walker = new PageWalker(target.ReadPage, findings, items);
        walker.Walk(target.Root, target.Height);
        damaged.Finish();
        items.FinishSpace();
        findings.Require(walker.Pages == target.PageCount, $"the tree has {walker.Pages} pages, {target.PageCount} are counted");
        findings.Require(items.EntrySum == items.ParentSum, $"directory entries and the links back from inodes disagree");
        findings.Require(items.EntryNameSum == items.NameSum, $"directory entries and the name index disagree");
        CheckInodes(items, findings);
        CheckTree(items, findings);
        CheckCounters(target, items, findings);
        return new CheckReport
        {
            Findings = findings.Messages,
            FindingCount = findings.Count,
            Pages = walker.Pages,
            Inodes = (ulong)items.Inodes.Count,
            Names = items.Names,
            Orphans = items.Orphans,
            Extents = items.Extents,
            MappedBlocks = items.MappedBlocks,
            SharedBlocks = items.SharedBlocks,
            SealedBlocks = items.SealedBlocks,
            CheckedBlocks = items.CheckedBlocks,
            Objects = items.Objects,
            VerifiedBlocks = items.VerifiedBlocks,
        };
    }

    private static void CheckInodes(ItemChecker items, Findings findings)
    {
        foreach ((ulong ino, InodeFacts facts) in items.Inodes)
        {
            if (!facts.HasRecord)
            {
                findings.Add($"{items.Named(ino)} is referred to but does not exist");
                continue;
            }

            CheckLinks(ino, facts, items, findings);
            findings.Require(facts.Blocks == facts.BlocksFound, $"{items.Named(ino)} counts {facts.Blocks} blocks, {facts.BlocksFound} are mapped");
            findings.Require(facts.IsRegular || facts.BlocksFound == 0, $"{items.Named(ino)} is no regular file but has data");
            findings.Require(facts.XattrCount == facts.XattrsFound, $"{items.Named(ino)} counts {facts.XattrCount} xattrs, has {facts.XattrsFound}");
            findings.Require(facts.LinkBytes == facts.LinkBytesFound, $"the symlink target of {items.Named(ino)} is incomplete");
            findings.Require(
                facts.DirentTypes == 0 || facts.DirentTypes == 1u << (int)(facts.Mode >> 12), $"{items.Named(ino)} is shown as another type");
        }
    }

    private static void CheckLinks(ulong ino, InodeFacts facts, ItemChecker items, Findings findings)
    {
        findings.Require(facts.IsOrphan == (facts.Nlink == 0), $"{items.Named(ino)} has {facts.Nlink} links, orphan: {facts.IsOrphan}");
        if (!facts.IsDirectory)
        {
            findings.Require(facts.EntriesFound == 0, $"{items.Named(ino)} is no directory but has entries");
            findings.Require(facts.NamesFound == facts.Nlink, $"{items.Named(ino)} counts {facts.Nlink} links, has {facts.NamesFound}");
            return;
        }

        ulong names = ino == LakeFormat.RootIno || facts.Nlink == 0 ? 0ul : 1ul;
        findings.Require(facts.NamesFound == names, $"{items.Named(ino)}, a directory, has {facts.NamesFound} names");
        findings.Require(
            facts.Nlink == 0 || facts.Nlink == 2 + facts.SubdirectoriesFound,
            $"{items.Named(ino)}, a directory, counts {facts.Nlink} links, has {facts.SubdirectoriesFound} subdirectories");
        findings.Require(facts.Size == facts.EntriesFound, $"{items.Named(ino)}, a directory, counts {facts.Size} entries, has {facts.EntriesFound}");
    }

    /// <summary>Every directory leads up to the root.</summary>
    private static void CheckTree(ItemChecker items, Findings findings)
    {
        Dictionary<ulong, InodeFacts> inodes = items.Inodes;
        if (!inodes.TryGetValue(LakeFormat.RootIno, out InodeFacts? root) || !root.HasRecord || !root.IsDirectory)
        {
            findings.Add($"there is no root directory");
            return;
        }

        var reached = new HashSet<ulong> { LakeFormat.RootIno };
        var path = new List<ulong>();
        foreach ((ulong ino, InodeFacts facts) in inodes)
        {
            if (!facts.IsDirectory || facts.Nlink == 0)
            {
                continue;
            }

            path.Clear();
            ulong at = ino;
            while (!reached.Contains(at) && path.Count <= inodes.Count && inodes.TryGetValue(at, out InodeFacts? above) && above.ParentDirectory != 0)
            {
                path.Add(at);
                at = above.ParentDirectory;
            }

            if (reached.Contains(at))
            {
                reached.UnionWith(path);
            }
            else
            {
                findings.Add($"{items.Named(ino)}, a directory, cannot be reached from the root");
            }
        }
    }

    private static void CheckCounters(CheckTarget target, ItemChecker items, Findings findings)
    {
        EngineState counted = target.Counters;
        findings.Require(
            counted.InodeCount == (ulong)items.Inodes.Count, $"{counted.InodeCount} inodes are counted, {items.Inodes.Count} exist");
        findings.Require(counted.OrphanCount == items.Orphans, $"{counted.OrphanCount} orphans are counted, {items.Orphans} exist");
        findings.Require(
            counted.UsedBlocks == items.MappedBlocks, $"{counted.UsedBlocks} blocks are counted as used, {items.MappedBlocks} are mapped");
        findings.Require(
            counted.SharedBlocks == items.SharedBlocks && counted.SavedBlocks == items.SavedBlocks,
            $"{counted.SharedBlocks} blocks are counted as shared, saving {counted.SavedBlocks}; it is {items.SharedBlocks}, saving {items.SavedBlocks}");
        findings.Require(
            counted.SealedBlocks == items.SealedBlocks && counted.CheckedBlocks == items.CheckedBlocks,
            $"{counted.SealedBlocks} blocks are counted as sealed, {counted.CheckedBlocks} as checked; it is {items.SealedBlocks} and {items.CheckedBlocks}");
        findings.Require(
            counted.MappedBlocks == items.FileBlocks && counted.PackedBlocks == items.PackedBlocks && counted.PackBlocks == items.PackBlocks,
            $"{counted.MappedBlocks} blocks of files are counted, {counted.PackedBlocks} of them packed into {counted.PackBlocks}; it is {items.FileBlocks}, {items.PackedBlocks} and {items.PackBlocks}");
        findings.Require(
            counted.ArchiveBlocks == items.ArchiveBlocks, $"{counted.ArchiveBlocks} blocks are counted as the archive's, its segments have {items.ArchiveBlocks}");
        findings.Require(counted.Objects == items.Objects, $"{counted.Objects} files are counted that have an identity, {items.Objects} have one");
        findings.Require(
            counted.UncleanSeq <= counted.AppliedSeq, $"a mount is said to have begun uncleanly after intent {counted.UncleanSeq}, which is to come");
    }
}
