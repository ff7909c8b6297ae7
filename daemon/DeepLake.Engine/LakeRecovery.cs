// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine.Format;
using DeepLake.Engine.State;
using DeepLake.Metadata;
using DeepLake.Metadata.Tree;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine;

/// <summary>
/// Recovery: the newest checkpoint that can be read, then every whole frame of the log after it. When
/// the newest checkpoint is damaged the one before it and a longer piece of the log give the same state.
/// Nothing is written to the superblocks, unless the page store has no room for all of the log at once:
/// then what has been replayed becomes a checkpoint.
/// </summary>
internal static class LakeRecovery
{
    public static RecoveredLake Recover(IBlockDevice device, ICommitSink sink, EngineOptions options)
    {
        List<Superblock> copies = SuperblockStore.ReadAll(device, out List<UnusableCopy> unusable);
        string? damage = null;
        for (int i = 0; i < copies.Count; i++)
        {
            try
            {
                RecoveredLake lake = RecoverFrom(device, sink, copies, unusable.Count > 0, i, damage, options);
                return lake with { WhyEndIsUnknown = WhyEndIsUnknown(copies, unusable, lake.LogLoss is not null) };
            }
            catch (StorageException failure) when (failure.IsCorruption)
            {
                damage = And(damage, failure.Message);
            }
            catch (MetadataCorruptException failure)
            {
                damage = And(damage, failure.Message);
            }
        }

        throw new LakeFormatException(
            Errno.EUCLEAN, $"the lake cannot be opened, its metadata is damaged{(device.IsUnreadable(0, device.LengthBytes) ? ", or cannot be read from the device" : "")}: {damage}", LakeFormatException.RepairAdvice);
    }

    // both checkpoints may share what is damaged
    private static string And(string? damage, string more) => damage is null || damage == more ? more : $"{damage}; {more}";

    private static RecoveredLake RecoverFrom(
        IBlockDevice device, ICommitSink sink, List<Superblock> copies, bool isOneCopy, int index, string? damage, EngineOptions options)
    {
        Superblock superblock = copies[index];
        CheckpointTicket ticket = SuperblockStore.ReadTicket(device, superblock);
        IPageStore? store = null;
        LakeState? state = null;
        Wal? wal = null;
        try
        {
            var pages = new PageStoreOptions
            {
                MemoryBytes = options.PageStoreBytes,
                // there is nothing to go back to when it cannot be read
                Before = index + 1 < copies.Count ? SuperblockStore.TryReadTicket(device, copies[index + 1]) : null,
            };
            store = options.OpenPages(device, LakeLayout.PageStore(superblock), ticket, pages);
            state = LakeState.Open(store, superblock, (int)(options.TreeCacheBytes / LakeFormat.BlockSize));
            if (state.Counters.AppliedSeq != superblock.CheckpointSeq)
            {
                throw new MetadataCorruptException(
                    $"the checkpoint holds intent {state.Counters.AppliedSeq}, its superblock says {superblock.CheckpointSeq}");
            }

            wal = new Wal(
                device, LakeLayout.Bytes(superblock.Wal.StartBlock), LakeLayout.Bytes(superblock.Wal.Blocks), LakeTag(superblock));
            // the next generation goes to the newest copy's slot, or, when that copy was of no use, over it:
            // never over the one that is recovered from
            bool isNewest = index == 0;
            Superblock next = superblock;
            next.Generation = copies[0].Generation
                + (isNewest || Planted.Is(PlantedFault.FallbackOverwritesTheGoodCopy) ? 0ul : 1ul);
            var checkpoints = new CheckpointWriter(store, state, next, sink, options.Clock);
            var from = CheckpointWriter.PositionOf(superblock);
            WalReplayResult log = Replay(wal, from, Oldest(copies), state, checkpoints, options.Replaying, out ulong replayed);
            bool hadFrames = log.Frames > 0;
            // frames that wait for the archive are kept, too, if nothing has taken their place
            ref EngineState counters = ref state.Counters;
            if (counters.ArchiveLsn != 0
                && !Keeps(wal, options.ArchiveDevice ?? device, new WalPosition(counters.ArchiveLsn, (long)Math.Min(counters.ArchiveOffset, long.MaxValue))))
            {
                counters.ArchiveLsn = 0;
            }

            // what a newer checkpoint held was durable: without it the log has to lead there, also to what has no
            // number of its own, as the epoch of a mount
            if (state.Counters.AppliedSeq < copies[0].CheckpointSeq || wal.Next.Lsn < copies[0].CheckpointWalLsn)
            {
                throw StorageException.Corruption(
                    $"the newest checkpoint, of intent {copies[0].CheckpointSeq}, is damaged, and so is the log that leads to it: "
                    + $"it ends with intent {state.Counters.AppliedSeq} before frame {wal.Next.Lsn}");
            }

            bool clean = superblock.State == SuperblockState.Clean && !hadFrames && isNewest;
            bool endedCleanly = copies[0].State == SuperblockState.Clean && wal.Next.Lsn == copies[0].CheckpointWalLsn;
            string? lost = LossOf(log, endedCleanly && !isOneCopy, state.Counters.AppliedSeq);
            if (lost is not null && log.EndIsUnread && !options.EndsUnreadLog)
            {
                throw UnreadEnd(superblock, log.Next, state.Counters.AppliedSeq);
            }

            return new RecoveredLake(
                device, options, store, state, wal, checkpoints, replayed, clean && lost is null, endedCleanly && lost is null, damage, null, lost,
                !log.KeptIsThere || log.EndDamage != LogEndDamage.None);
        }
        catch
        {
            wal?.Dispose();
            state?.Dispose();
            store?.Dispose();
            throw;
        }
    }

    // A bad sector, or a cable: only a person may give up what is there.
    private static LakeFormatException UnreadEnd(in Superblock superblock, WalPosition end, ulong seq) => new(
        Errno.EIO,
        $"the device cannot read the log where it goes on, at byte {LakeLayout.Bytes(superblock.Wal.StartBlock) + end.OffsetBytes} (frame {end.Lsn}); "
        + $"what was recorded after change {seq} may be there, so the lake was not opened, and nothing was changed",
        "see the kernel log (dmesg) for errors of the device, and try again; if it stays so, lakectl repair DEVICE does without what is there");

    // Nobody can tell what was where nothing can be read; a lake that is known to have ended cleanly has all in its checkpoint.
    private static string? LossOf(in WalReplayResult log, bool isCleanEnd, ulong seq) => log.EndDamage switch
    {
        LogEndDamage.Frame => $"its last frame, number {log.Next.Lsn}, {(log.EndIsUnread ? "cannot be read from the device" : "is damaged")}, and what was recorded there, after change {seq}, is lost",
        LogEndDamage.Unreadable when !isCleanEnd =>
            $"{(log.EndIsUnread ? "the device cannot read it" : "nothing can be read")} where it ends, before frame {log.Next.Lsn}: what was recorded after change {seq} may be lost",
        _ => null,
    };

    private static WalReplayResult Replay(
        Wal wal, WalPosition from, WalPosition keep, LakeState state, CheckpointWriter checkpoints, Action? replaying, out ulong replayed)
    {
        var replay = new FrameReplay(state, new IntentApplier(state))
        {
            Begins = replaying,
            MakeRoom = () =>
            {
                if (checkpoints.IsShort)
                {
                    MakeRoom(state, checkpoints, wal.Next);
                }
            },
        };
        WalReplayResult result;
        try
        {
            result = wal.Replay(from, replay.Apply, keep);
        }
        catch (IntentFaultException fault)
        {
            throw new MetadataCorruptException($"the log contradicts the checkpoint: {fault.Message}");
        }

        if (result.LaterFrameFound)
        {
            throw StorageException.Corruption($"the log's frame {result.Next.Lsn} is damaged although later frames are whole, and what it recorded is lost");
        }

        replayed = replay.Replayed;
        return result;
    }

    /// <summary>A checkpoint that will replay from the frame at hand and skip what is applied of it.</summary>
    private static void MakeRoom(LakeState state, CheckpointWriter checkpoints, WalPosition frame) =>
        checkpoints.MakeRoom(() => checkpoints.Write(SuperblockState.Active, frame, state.Counters.AppliedSeq));

    // A clean mark goes to the other copy than the checkpoint before it, which was written in use: what is
    // left may be that one. One with the clean mark tells, as what came after it would be in the log, if that is whole.
    private static string? WhyEndIsUnknown(List<Superblock> copies, List<UnusableCopy> unusable, bool hasLost) =>
        unusable.Count == 0 || (copies[0].State == SuperblockState.Clean && !hasLost)
            ? null
            : $"superblock copy {unusable[0].Name}, which would tell, was found damaged";

    // A frame that cannot be read is one that the archive has to do without: the lake needs it no more.
    private static bool Keeps(Wal wal, IBlockDevice device, WalPosition position)
    {
        try
        {
            return wal.KeepFrom(device, position);
        }
        catch (StorageException failure) when (failure.Errno == Errno.EIO)
        {
            return false;
        }
    }

    private static WalPosition Oldest(List<Superblock> copies) =>
        CheckpointWriter.PositionOf(Planted.Is(PlantedFault.OlderCheckpointsFramesNotKept) ? copies[0] : copies[^1]);

    private static ulong LakeTag(in Superblock superblock) => MemoryMarshal.Read<ulong>(superblock.Uuid);
}
