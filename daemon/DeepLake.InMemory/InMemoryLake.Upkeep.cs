// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Check;
using DeepLake.Engine;
using DeepLake.Engine.Ingest;
using DeepLake.Metadata.Tree;
using DeepLake.Platform;

namespace DeepLake.InMemory;

/// <summary>What a daemon does for a lake in the background, and what a person asks of it.</summary>
public sealed partial class InMemoryLake
{
    private const int InodesOfALook = 128;
    private const int PassesMost = 8;
    private const uint IngestBlocks = 1024;

    /// <summary>
    /// Does for all files at once what the daemon does when nobody has changed them for a while: they get their
    /// checksums into the table, which every read is compared with from then on, and the hash of their content
    /// as their identity; files that are equal come to share their blocks.
    /// </summary>
    public SettleResult Settle()
    {
        Begin("/");
        ulong current = 0;
        var damaged = new SortedDictionary<ulong, string>();
        using var table = new ChecksumTable(Disk, Engine.Superblock);
        using var readBack = new ReadBack(Disk, table);
        LakeEngine engine = Engine;
        var ingest = new FileIngest(engine, Client, readBack)
        {
            Damaged = _ => damaged.TryAdd(current, engine.PathsOf(current, 1).FirstOrDefault($"inode {current}")),
        };
        var settled = new HashSet<ulong>();
        List<ulong> found = FindUnfinished();
        List<ulong> before = [];
        for (int pass = 0; pass < PassesMost && found.Count > 0 && !found.SequenceEqual(before); pass++)
        {
            foreach (ulong ino in found)
            {
                current = ino;
                Settle(ingest, ino);
                settled.Add(ino);
            }

            (before, found) = (found, FindUnfinished());
        }

        return new SettleResult { Files = settled.Count, Damaged = [.. damaged.Values], Unfinished = found.Count };
    }

    public LakeStats GetStats()
    {
        EngineStats stats = Engine.GetStats();
        return new LakeStats
        {
            LogicalBytes = Bytes(stats.MappedBlocks),
            StoredBytes = Bytes(stats.UsedBlocks - stats.ArchiveBlocks),
            SharedBytes = Bytes(stats.SharedBlocks),
            CheckedBytes = Bytes(stats.CheckedBlocks),
            CapacityBytes = Bytes(stats.DataBlocks),
            FreeBytes = Bytes(stats.FreeBlocks + stats.QuarantinedBlocks),
            ArchiveBytes = Bytes(stats.ArchiveBlocks),
            Inodes = (long)stats.Inodes,
            Identities = (long)stats.Objects,
            AppliedSeq = stats.AppliedSeq,
            DurableSeq = stats.DurableSeq,
            ReplayedChanges = stats.ReplayedIntents,
        };
    }

    /// <summary>Proves the structure of the lake as it is now with the checker, which shares no code with what wrote it.</summary>
    /// <param name="full">Also reads all data whose checksum is known, and compares the identities of files.</param>
    public CheckReport Verify(bool full = false)
    {
        BTree tree = Engine.TreeForCheck();
        (ulong root, uint height) = tree.RootForCheck();
        Superblock superblock = Engine.Superblock;
        var target = new CheckTarget
        {
            ReadPage = tree.CopyPage,
            ReadData = full ? Disk.Read : null,
            Root = root,
            Height = height,
            PageCount = tree.PageCount,
            Data = superblock.Data,
            Sums = superblock.Sums,
            Uuid = new Guid(superblock.Uuid, bigEndian: true),
            Counters = Engine.CountersForCheck(),
            EvidenceAfter = Engine.EvidenceAfter,
        };
        return LakeChecker.Check(target, new CheckOptions { Full = full });
    }

    /// <summary>
    /// For tests: changes one bit of a file where it lies, behind the lake's back, as a bad disk does. Files that
    /// share the block have it, too; of a packed file it is one of the pack's first block.
    /// </summary>
    /// <exception cref="LakeException">ENXIO: nothing is written at that offset.</exception>
    public void FlipBit(string path, long offsetBytes)
    {
        InodeRecord inode = FindFile(path);
        SealPiece? piece = offsetBytes < 0 ? null
            : Engine.LookForSeal(inode.Ino, (ulong)offsetBytes / BlockBytes, 1)?.Pieces.FirstOrDefault(p => p.IsWritten);
        if (piece is null || piece.FileBlock != (ulong)offsetBytes / BlockBytes)
        {
            throw Error(Errno.ENXIO, path, $"nothing is written at byte {offsetBytes}");
        }

        Disk.FlipBit(((long)piece.Extent.DeviceBlock * BlockBytes) + piece.Skew + (offsetBytes % BlockBytes));
    }

    private static long Bytes(ulong blocks) => (long)blocks * BlockBytes;

    private List<ulong> FindUnfinished()
    {
        var found = new List<ulong>();
        for (ulong ino = 0; ino != ulong.MaxValue;)
        {
            ino = Engine.FindUnfinished(ino, InodesOfALook, found);
        }

        return found;
    }

    private void Settle(FileIngest ingest, ulong ino)
    {
        ingest.Begin(ino, IngestBlocks);
        while (!ingest.IsDone)
        {
            Client.BeginGroup();
            ingest.Advance();
            if (ingest.IsWaiting)
            {
                // what is asked for is applied at once
                throw new InvalidOperationException($"the ingest of inode {ino} waits for what has been done");
            }
        }
    }
}
