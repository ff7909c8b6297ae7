// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine.Format;
using DeepLake.Engine.State;
using DeepLake.Metadata;
using DeepLake.Metadata.Tree;
using DeepLake.Platform;
using DeepLake.Storage;
using DeepLake.Storage.Faster;

namespace DeepLake.Engine;

/// <summary>
/// Recovery: the newest checkpoint that can be read, then every whole frame of the log after it. When
/// the newest checkpoint is damaged the one before it and a longer piece of the log give the same state.
/// </summary>
internal static class LakeRecovery
{
    public static RecoveredLake Recover(IBlockDevice device, EngineOptions options)
    {
        List<Superblock> copies = SuperblockStore.ReadAll(device);
        string? damage = null;
        for (int i = 0; i < copies.Count; i++)
        {
            try
            {
                return RecoverFrom(device, copies, i, options);
            }
            catch (StorageException failure) when (failure.IsCorruption)
            {
                damage ??= failure.Message;
            }
            catch (MetadataCorruptException failure)
            {
                damage ??= failure.Message;
            }
        }

        throw new LakeFormatException(
            Errno.EUCLEAN, $"the lake's metadata is damaged: {damage}", "restore the device from a backup");
    }

    private static RecoveredLake RecoverFrom(IBlockDevice device, List<Superblock> copies, int index, EngineOptions options)
    {
        Superblock superblock = copies[index];
        CheckpointTicket ticket = SuperblockStore.ReadTicket(device, superblock);
        IPageStore? store = null;
        LakeState? state = null;
        Wal? wal = null;
        try
        {
            store = FasterPageStore.Open(
                device, LakeLayout.PageStore(superblock), ticket, new PageStoreOptions { MemoryBytes = options.PageStoreBytes });
            state = LakeState.Open(store, superblock, (int)(options.TreeCacheBytes / LakeFormat.BlockSize));
            if (state.Counters.AppliedSeq != superblock.CheckpointSeq)
            {
                throw new MetadataCorruptException(
                    $"the checkpoint holds intent {state.Counters.AppliedSeq}, its superblock says {superblock.CheckpointSeq}");
            }

            wal = new Wal(
                device, LakeLayout.Bytes(superblock.Wal.StartBlock), LakeLayout.Bytes(superblock.Wal.Blocks), LakeTag(superblock));
            WalPosition keep = Oldest(copies);
            (ulong replayed, bool hadFrames) = Replay(wal, state, superblock, keep);

            // the next generation goes to the newest copy's slot, or, when that copy was of no use, over it:
            // never over the one that was recovered from
            superblock.Generation = copies[0].Generation + (index == 0 ? 0ul : 1ul);
            bool clean = superblock.State == SuperblockState.Clean && !hadFrames && index == 0;
            return new RecoveredLake(superblock, store, state, wal, keep, replayed, clean);
        }
        catch
        {
            wal?.Dispose();
            state?.Dispose();
            store?.Dispose();
            throw;
        }
    }

    private static (ulong Replayed, bool HadFrames) Replay(Wal wal, LakeState state, in Superblock superblock, WalPosition keep)
    {
        var applier = new IntentApplier(state);
        ulong replayed = 0;
        var from = new WalPosition(superblock.CheckpointWalLsn, (long)superblock.CheckpointWalOffset);
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
            throw StorageException.Corruption($"the log's frame {result.Next.Lsn} is damaged, later frames are whole");
        }

        return (replayed, result.Frames > 0);

        void Visit(in WalFrame header, ReadOnlySpan<byte> payload)
        {
            while (!payload.IsEmpty)
            {
                int bytes = payload.Length < 16 ? 0 : (int)Math.Min(MemoryMarshal.Read<uint>(payload), int.MaxValue);
                if (bytes < 16 || bytes > payload.Length)
                {
                    throw new MetadataCorruptException($"the log's frame {header.Lsn} holds a malformed entry");
                }

                applier.Apply(payload[..bytes]);
                replayed++;
                payload = payload[bytes..];
            }

            state.Space.ReleaseQuarantine(ulong.MaxValue);
        }
    }

    private static WalPosition Oldest(List<Superblock> copies)
    {
        Superblock oldest = copies[^1];
        return new WalPosition(oldest.CheckpointWalLsn, (long)oldest.CheckpointWalOffset);
    }

    private static ulong LakeTag(in Superblock superblock) => MemoryMarshal.Read<ulong>(superblock.Uuid);
}
