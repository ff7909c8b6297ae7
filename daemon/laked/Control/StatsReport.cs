// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Control;
using DeepLake.Engine;
using DeepLake.Storage;

namespace DeepLake.Laked.Control;

/// <summary>An engine's numbers as the protocol gives them.</summary>
internal static class StatsReport
{
    /// <summary>Of a lake, mounted or not.</summary>
    /// <param name="into">Where they go.</param>
    /// <param name="engine">The caller is on its thread, so that no superblock is half written now.</param>
    /// <param name="device">Where the superblocks are read.</param>
    internal static void Fill(LakeStats into, LakeEngine engine, IBlockDevice device)
    {
        EngineStats stats = engine.GetStats();
        Superblock superblock = engine.Superblock;
        into.Uuid = stats.Uuid.ToString();
        into.Label = stats.Label;
        into.DeviceBytes = stats.DeviceBlocks * LakeFormat.BlockSize;
        into.DataBlocks = stats.DataBlocks;
        into.FreeBlocks = stats.FreeBlocks;
        into.UsedBlocks = stats.UsedBlocks;
        into.Inodes = stats.Inodes;
        into.Orphans = stats.Orphans;
        into.Epoch = stats.Epoch;
        into.MountCount = stats.MountCount;
        into.Clean = superblock.State == SuperblockState.Clean;
        into.WasClean = stats.WasClean;
        into.ReplayedIntents = stats.ReplayedIntents;
        into.FellBack = stats.FellBack;
        into.AppliedSeq = stats.AppliedSeq;
        into.DurableSeq = stats.DurableSeq;
        into.CreatedSec = superblock.CreatedSec;
        into.CheckpointSec = superblock.WrittenSec;
        into.Counters["leased_blocks"] = stats.LeasedBlocks;
        into.Counters["quarantined_blocks"] = stats.QuarantinedBlocks;
        into.Counters["shared_blocks"] = stats.SharedBlocks;
        into.Counters["saved_blocks"] = stats.SavedBlocks;
        into.Counters["sealed_blocks"] = stats.SealedBlocks;
        into.Counters["checked_blocks"] = stats.CheckedBlocks;
        into.Counters["mapped_blocks"] = stats.MappedBlocks;
        into.Counters["packed_blocks"] = stats.PackedBlocks;
        into.Counters["pack_blocks"] = stats.PackBlocks;
        into.Counters["objects"] = stats.Objects;
        into.Counters["archive_blocks"] = stats.ArchiveBlocks;
        into.Counters["archived_seq"] = stats.ArchivedSeq;
        into.Counters["archive_interrupted"] = stats.ArchiveIsInterrupted ? 1ul : 0ul;
        into.Counters["metadata_pages"] = stats.MetadataPages;
        into.Counters["metadata_capacity_pages"] = stats.MetadataCapacityPages;
        into.Counters["wal_bytes_used"] = stats.WalBytesUsed;
        into.Counters["wal_bytes"] = stats.WalBytes;
        into.Notes.AddRange(LakeNotes.Of(device));
        if (engine.LogLoss is { } loss)
        {
            into.Notes.Add(ReportTexts.LogIsDamaged + loss);
        }

        if (engine.WhyEndIsUnknown is { } why && !into.TakenOver)
        {
            into.Notes.Add(ReportTexts.EndIsUnknown + why);
        }
    }

    /// <summary>What a daemon has done since it serves the lake; of another engine they say nothing.</summary>
    internal static void FillServed(LakeStats into, LakeEngine engine)
    {
        EngineStats stats = engine.GetStats();
        into.Counters["commits"] = stats.Commits;
        into.Counters["checkpoints"] = stats.Checkpoints;
    }
}
