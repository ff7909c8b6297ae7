// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using DeepLake.Abi;
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Engine.Subtree;

namespace DeepLake.Laked.Control;

/// <summary>
/// Adds up what a folder or file of a mounted lake holds. The engine's thread does a part at a time; a client that
/// is gone or slow ends it, as its progress cannot be sent.
/// </summary>
internal static class SubtreeCount
{
    private const string PosixZone = "posix";

    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(500);

    /// <param name="ino">The folder or file.</param>
    /// <param name="advance">Does a part of a walk on the engine's thread.</param>
    /// <param name="device">For the progress.</param>
    /// <param name="send">May throw when the client is gone.</param>
    internal static SubtreeStats Run(ulong ino, Action<SubtreeWalk> advance, string device, Action<Response> send)
    {
        var walk = new SubtreeWalk(ino);
        long told = Stopwatch.GetTimestamp();
        while (!walk.IsDone)
        {
            advance(walk);
            if (Stopwatch.GetElapsedTime(told) >= ProgressInterval)
            {
                send(Responses.Progress(walk.Passes == 0 ? "counting" : "counting shared blocks", walk.Visited, 0, "files and folders", device));
                told = Stopwatch.GetTimestamp();
            }
        }

        return walk.IsMissing
            ? throw new CommandException(ErrorCode.ErrorNotFound, $"{device} has no inode {ino} any more", "look whether it has been deleted, and name it again")
            : Report(walk);
    }

    private static SubtreeStats Report(SubtreeWalk walk)
    {
        SubtreeTotals totals = walk.Totals;
        var stats = new SubtreeStats
        {
            Files = totals.Files,
            Directories = totals.Directories,
            Symlinks = totals.Symlinks,
            Specials = totals.Specials,
            FurtherNames = totals.FurtherNames,
            LogicalBytes = totals.LogicalBytes,
            MappedBlocks = totals.MappedBlocks,
            UnwrittenBlocks = totals.UnwrittenBlocks,
            SealedBlocks = totals.SealedBlocks,
            CheckedBlocks = totals.CheckedBlocks,
            StoredBlocks = totals.StoredBlocks,
            ExclusiveBlocks = totals.ExclusiveBlocks,
            SavedBlocks = totals.SavedBlocks,
            Cut = walk.IsCut,
        };
        for (int zone = 0; zone < totals.Zones.Count; zone++)
        {
            ZoneTotals its = totals.Zones[zone];
            if (its.Inodes > 0)
            {
                stats.Zones.Add(new ZoneStats
                {
                    Name = zone == 0 ? PosixZone : $"zone-{zone}",
                    Inodes = its.Inodes,
                    LogicalBytes = its.LogicalBytes,
                    MappedBlocks = its.MappedBlocks,
                });
            }
        }

        return stats;
    }
}
