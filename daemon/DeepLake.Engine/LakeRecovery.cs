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
        List<Superblock> copies = SuperblockStore.ReadAll(device);
        string? damage = null;
        for (int i = 0; i < copies.Count; i++)
        {
            try
            {
                return RecoverFrom(device, sink, copies, i, damage, options);
            }
            catch (StorageException failure) when (failure.IsCorruption)
            {
                damage = damage is null ? failure.Message : $"{damage}; {failure.Message}";
            }
            catch (MetadataCorruptException failure)
            {
                damage = damage is null ? failure.Message : $"{damage}; {failure.Message}";
            }
        }

        throw new LakeFormatException(
            Errno.EUCLEAN, $"the lake cannot be opened, its metadata is damaged: {damage}", "restore the device from a backup");
    }

    private static RecoveredLake RecoverFrom(
        IBlockDevice device, ICommitSink sink, List<Superblock> copies, int index, string? damage, EngineOptions options)
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
            (ulong replayed, bool hadFrames) = Replay(wal, from, Oldest(copies), state, checkpoints, options.Replaying);
            // what a newer checkpoint held was durable: without it the log has to lead there
            if (state.Counters.AppliedSeq < copies[0].CheckpointSeq)
            {
                throw StorageException.Corruption(
                    $"the newest checkpoint, of intent {copies[0].CheckpointSeq}, is damaged, and so is the log that leads to it: "
                    + $"it ends with intent {state.Counters.AppliedSeq}");
            }

            bool clean = superblock.State == SuperblockState.Clean && !hadFrames && isNewest;
            return new RecoveredLake(store, state, wal, checkpoints, replayed, clean, damage);
        }
        catch
        {
            wal?.Dispose();
            state?.Dispose();
            store?.Dispose();
            throw;
        }
    }

    private static (ulong Replayed, bool HadFrames) Replay(
        Wal wal, WalPosition from, WalPosition keep, LakeState state, CheckpointWriter checkpoints, Action? replaying)
    {
        var applier = new IntentApplier(state);
        var ahead = new ReplayReadAhead(state);
        ulong replayed = 0;
        WalReplayResult result;
        try
        {
            result = wal.Replay(from, Visit, keep);
        }
        catch (IntentFaultException fault)
        {
            throw new MetadataCorruptException($"the log contradicts the checkpoint: {fault.Message}");
        }

        if (result.LaterFrameFound)
        {
            throw StorageException.Corruption($"the log's frame {result.Next.Lsn} is damaged although later frames are whole, and what it recorded is lost");
        }

        return (replayed, result.Frames > 0);

        void Visit(in WalFrame header, ReadOnlySpan<byte> payload)
        {
            // a checkpoint of an earlier recovery may lie within this frame
            bool isBegun = header.FirstSeq != 0 && header.FirstSeq <= state.Counters.AppliedSeq;
            int openBytes = isBegun ? BytesBehindApplied(payload, state.Counters.AppliedSeq) : payload.Length;
            while (!payload.IsEmpty)
            {
                int bytes = payload.Length < 16 ? 0 : (int)Math.Min(MemoryMarshal.Read<uint>(payload), int.MaxValue);
                if (bytes < 16 || bytes > payload.Length)
                {
                    throw new MetadataCorruptException($"the log's frame {header.Lsn} holds a malformed entry");
                }

                ahead.Before(payload);
                ReadOnlySpan<byte> entry = payload[..bytes];
                payload = payload[bytes..];
                bool isBehind = payload.Length + bytes <= openBytes;
                if (IsApplied(entry, isBehind, state))
                {
                    continue;
                }

                if (replayed == 0)
                {
                    replaying?.Invoke();
                }

                if (checkpoints.IsShort)
                {
                    MakeRoom(state, checkpoints, wal.Next);
                }

                applier.Apply(entry);
                replayed++;
            }

            state.Space.ReleaseQuarantine(ulong.MaxValue);
        }
    }

    /// <summary>Whether the checkpoint holds an entry; of one without a seq its place in the frame tells.</summary>
    private static bool IsApplied(ReadOnlySpan<byte> entry, bool isBehind, LakeState state)
    {
        ulong seq = MemoryMarshal.Read<IntentHeader>(entry).Seq;
        if (Planted.Is(PlantedFault.ReplaySkipsAnEntry) && seq % 32 == 31)
        {
            return true;
        }

        if (seq == 0)
        {
            return !isBehind;
        }

        return seq <= state.Counters.AppliedSeq && !Planted.Is(PlantedFault.ReplayRepeatsAnEntry);
    }

    /// <summary>
    /// What of a frame's payload is behind its last entry that is applied. Entries without a seq right there
    /// may be applied or not; the state is the one that they were made for, and once more they change nothing.
    /// </summary>
    private static int BytesBehindApplied(ReadOnlySpan<byte> payload, ulong appliedSeq)
    {
        int behind = payload.Length;
        while (payload.Length >= 16)
        {
            IntentHeader header = MemoryMarshal.Read<IntentHeader>(payload);
            if (header.Len < 16 || header.Len > (uint)payload.Length)
            {
                break;
            }

            payload = payload[(int)header.Len..];
            if (header.Seq != 0 && header.Seq <= appliedSeq)
            {
                behind = payload.Length;
            }
        }

        return behind;
    }

    /// <summary>A checkpoint that will replay from the frame at hand and skip what is applied of it.</summary>
    private static void MakeRoom(LakeState state, CheckpointWriter checkpoints, WalPosition frame) =>
        checkpoints.MakeRoom(() => checkpoints.Write(SuperblockState.Active, frame, state.Counters.AppliedSeq));

    private static WalPosition Oldest(List<Superblock> copies) =>
        CheckpointWriter.PositionOf(Planted.Is(PlantedFault.OlderCheckpointsFramesNotKept) ? copies[0] : copies[^1]);

    private static ulong LakeTag(in Superblock superblock) => MemoryMarshal.Read<ulong>(superblock.Uuid);
}
