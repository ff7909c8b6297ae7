// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine.Format;
using DeepLake.Engine.State;
using DeepLake.Metadata;
using DeepLake.Metadata.Tree;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine.Archive;

/// <summary>
/// Makes the metadata of a lake anew from its archive (docs/archive.md). The page store and the checksums
/// of data are written first, the superblocks last: until then the same can be done again, and the lake
/// cannot be opened.
/// </summary>
public sealed class LakeRebuilder
{
    private const long RoomPages = 512;

    private readonly IBlockDevice _device;
    private readonly EngineOptions _options;
    private readonly RebuildPlan _plan;

    /// <param name="device">Is written, its data blocks excepted.</param>
    /// <param name="plan">Of this device.</param>
    /// <param name="options">Budgets.</param>
    public LakeRebuilder(IBlockDevice device, RebuildPlan plan, EngineOptions options)
    {
        _device = device;
        _options = options;
        _plan = plan;
    }

    /// <summary>Told what is being done, how much of it is done, how much there is (0: not known), and of what. May throw.</summary>
    public Action<string, ulong, ulong, string> Progress { get; init; } = (_, _, _, _) => { };

    /// <summary>Whether data is compared with its checksums; a rehearsal does without.</summary>
    public bool ProvesData { get; init; } = true;

    /// <exception cref="LakeFormatException">The archive contradicts itself. The superblocks are what they were.</exception>
    public RebuildResult Run()
    {
        try
        {
            Superblock superblock = _plan.Superblock;
            CloseLake(superblock);
            using IPageStore store = _options.OpenPages(
                _device, LakeLayout.PageStore(superblock), null, new PageStoreOptions { MemoryBytes = _options.PageStoreBytes });
            using LakeState state = Begin(store, superblock);
            ForgetSegments(state);
            Replay(store, state);
            AddSegments(state);
            using var audit = new ContentAudit(state, _device, superblock) { Progress = Progress };
            if (ProvesData)
            {
                audit.Run();
            }

            Publish(store, state, superblock);
            return new RebuildResult
            {
                Inodes = state.Counters.InodeCount,
                Seq = state.Counters.AppliedSeq,
                BlocksRead = audit.BlocksRead,
                DamagedBlocks = audit.DamagedBlocks,
                MendedSums = audit.MendedSums,
                UnprovenBlocks = audit.UnprovenBlocks,
                UnprovenFiles = audit.UnprovenFiles,
            };
        }
        catch (Exception failure) when (failure is IntentFaultException or MetadataCorruptException)
        {
            throw new LakeFormatException(
                Errno.EUCLEAN, $"the lake cannot be rebuilt: its archive contradicts itself ({failure.Message})", "restore the device from a backup; nothing can be brought back by repair");
        }
    }

    /// <summary>
    /// Without tickets nobody takes pages that are written here for those of a checkpoint: a mount of what an
    /// interrupted rebuild leaves is refused.
    /// </summary>
    private void CloseLake(in Superblock superblock)
    {
        foreach (Region slot in (ReadOnlySpan<Region>)superblock.Ticket)
        {
            using var zeroes = new AlignedBuffer((int)LakeLayout.Bytes(slot.Blocks), zeroed: true);
            _device.Write(zeroes.Span, LakeLayout.Bytes(slot.StartBlock));
        }

        _device.Flush();
    }

    private LakeState Begin(IPageStore store, in Superblock superblock)
    {
        int frames = (int)(_options.TreeCacheBytes / LakeFormat.BlockSize);
        if (_plan.Base.Count == 0)
        {
            LakeState made = LakeState.CreateEmpty(store, superblock, frames);
            made.Counters.ArchiveLsn = WalPosition.Start.Lsn;
            LakeFormatter.AddRoot(made, superblock);
            return made;
        }

        using AlignedBuffer buffer = ArchiveSegment.CreateBuffer();
        for (int i = 0; i < _plan.Base.Count; i++)
        {
            Progress("reading the base", (ulong)i, (ulong)_plan.Base.Count, "segments");
            Read(_plan.Base[i], buffer);
            Span<byte> pages = buffer.Slice(ArchiveSegment.MetaBytes, (int)_plan.Base[i].PayloadBytes);
            for (int at = 0; at < pages.Length; at += PageFormat.PageBytes)
            {
                if (store.RoomPages < RoomPages)
                {
                    store.Checkpoint();
                }

                Span<byte> page = pages.Slice(at, PageFormat.PageBytes);
                ulong id = MemoryMarshal.Read<ulong>(page[BTree.PageIdOffset..]);
                if (!PageFormat.IsIntact(id, page))
                {
                    throw new MetadataCorruptException($"page {id} in segment {_plan.Base[i].Number} does not match its checksum");
                }

                store.Write(id, page);
            }
        }

        LakeState state = LakeState.Open(store, superblock, frames);
        if (state.Counters.AppliedSeq != _plan.Base[0].Seq)
        {
            state.Dispose();
            throw new MetadataCorruptException($"a base as of intent {_plan.Base[0].Seq} holds intent {state.Counters.AppliedSeq}");
        }

        return state;
    }

    /// <summary>Which segments there are is found on the device, not in what they hold.</summary>
    private static void ForgetSegments(LakeState state)
    {
        while (state.Archive.TryNext(0, out ulong number, out ArchiveItem item))
        {
            if (!state.Space.Contains(item.Block, item.Blocks) || !state.Space.MarkFreed(item.Block, item.Blocks, 0, isOfFile: false))
            {
                throw new MetadataCorruptException($"segment {number} of the archive has blocks that are not in use");
            }

            state.Archive.Delete(number);
        }

        state.Counters.ArchiveBlocks = 0;
        state.Space.ReleaseQuarantine(ulong.MaxValue);
    }

    private void Replay(IPageStore store, LakeState state)
    {
        var replay = new FrameReplay(state, new IntentApplier(state) { SkipsArchive = true })
        {
            MakeRoom = () =>
            {
                if (store.RoomPages - (2L * state.Tree.DirtyPages) - state.Space.DirtyChunks < RoomPages)
                {
                    state.Flush();
                    store.Checkpoint();
                }
            },
        };
        ulong lsn = _plan.Base.Count == 0 ? WalPosition.Start.Lsn : _plan.Base[0].NextLsn;
        using AlignedBuffer buffer = ArchiveSegment.CreateBuffer();
        for (int i = 0; i < _plan.Logs.Count; i++)
        {
            Progress("replaying the archived log", (ulong)i, (ulong)_plan.Logs.Count, "segments");
            Read(_plan.Logs[i], buffer);
            Span<byte> rest = buffer.Slice(ArchiveSegment.MetaBytes, (int)_plan.Logs[i].PayloadBytes);
            while (ArchiveFrames.TryTake(ref rest, out WalFrame header, out ReadOnlySpan<byte> payload))
            {
                if (header.Lsn == lsn)
                {
                    replay.Apply(header, payload);
                    lsn++;
                }
            }
        }

        ReplayRegion(replay, lsn);
    }

    private void ReplayRegion(FrameReplay replay, ulong lsn)
    {
        if (_plan.Frames.Count == 0)
        {
            return;
        }

        Superblock superblock = _plan.Superblock;
        var wanted = new HashSet<long>(_plan.Frames);
        var kept = new SortedDictionary<ulong, (WalFrame Header, byte[] Payload)>();
        WalRegion.FindFrames(
            _device, LakeLayout.Bytes(superblock.Wal.StartBlock), LakeLayout.Bytes(superblock.Wal.Blocks),
            MemoryMarshal.Read<ulong>(superblock.Uuid),
            (long offset, in WalFrame header, ReadOnlySpan<byte> payload) =>
            {
                if (wanted.Contains(offset))
                {
                    kept.Add(header.Lsn, (header, payload.ToArray()));
                }
            });
        foreach ((ulong number, (WalFrame header, byte[] payload)) in kept)
        {
            if (number != lsn++)
            {
                throw new MetadataCorruptException($"frame {lsn - 1} of the log is not there any more");
            }

            replay.Apply(header, payload);
        }
    }

    /// <summary>What it was rebuilt from stays the archive, and the log goes on behind it.</summary>
    private void AddSegments(LakeState state)
    {
        ref EngineState counters = ref state.Counters;
        bool isWhole = true;
        foreach (ArchiveHeader segment in _plan.Base.Concat(_plan.Logs))
        {
            // A base that nobody entered, as the daemon died, is as good; but its numbers were given to others later.
            // What was given up since may be reserved for a file that has not written there.
            if (IsTaken(state, segment.Number) || !state.Space.MarkUsed(segment.StartBlock, segment.Blocks))
            {
                isWhole = false;
                continue;
            }

            state.Archive.Put(segment.Number, new ArchiveItem { Block = segment.StartBlock, Blocks = segment.Blocks, Kind = segment.Kind });
            counters.ArchiveBlocks += segment.Blocks;
            counters.ArchiveNumber = Math.Max(counters.ArchiveNumber, segment.Number + 1);
        }

        counters.ArchiveBase = _plan.Base.Count == 0 ? 0 : _plan.Base[0].Number;
        counters.ArchiveLsn = isWhole ? _plan.ArchivedLsn : 0;
        counters.ArchiveOffset = _plan.Frames.Count == 0 ? 0 : (ulong)_plan.Frames[0];
        counters.ArchiveSeq = _plan.Logs.Concat(_plan.Base).Select(s => s.Seq).DefaultIfEmpty().Max();
    }

    private static bool IsTaken(LakeState state, ulong number) => state.Archive.TryNext(number, out ulong next, out _) && next == number;

    private void Read(in ArchiveHeader segment, AlignedBuffer buffer)
    {
        if (!ArchiveSegment.TryRead(_device, segment, buffer, out _))
        {
            throw new MetadataCorruptException($"segment {segment.Number} of the archive cannot be read any more");
        }
    }

    private void Publish(IPageStore store, LakeState state, Superblock superblock)
    {
        state.Flush();
        CheckpointTicket ticket = store.Checkpoint();
        ClearLog(superblock);
        var sink = new DeviceCommitSink(_device);
        superblock.State = SuperblockState.Active;
        superblock.Epoch = Math.Max(superblock.Epoch, state.Counters.Epoch); // no history that was given up has a higher one
        superblock.CheckpointSeq = state.Counters.AppliedSeq;
        superblock.CheckpointWalLsn = _plan.NextLsn;
        superblock.CheckpointWalOffset = (ulong)_plan.NextOffset;
        superblock.WrittenSec = (ulong)_options.Clock.GetUtcNow().ToUnixTimeSeconds();
        superblock.Generation = Math.Max(superblock.Generation, NewestGeneration()) + 1;
        SuperblockStore.Publish(sink, ref superblock, ticket, superblock.CheckpointSeq);
        superblock.Generation++;
        SuperblockStore.Publish(sink, ref superblock, ticket, superblock.CheckpointSeq);
    }

    // A copy that is valid but of no use must not rule afterwards.
    private ulong NewestGeneration()
    {
        try
        {
            return SuperblockStore.ReadAll(_device)[0].Generation;
        }
        catch (LakeFormatException)
        {
            return 0;
        }
    }

    /// <summary>Nothing but what was used is left: it could look like the log going on, or like damage of it.</summary>
    private void ClearLog(in Superblock superblock)
    {
        long start = LakeLayout.Bytes(superblock.Wal.StartBlock);
        long length = LakeLayout.Bytes(superblock.Wal.Blocks);
        if (_plan.Frames.Count > 0)
        {
            WalRegion.ClearAllBut(_device, start, length, MemoryMarshal.Read<ulong>(superblock.Uuid), _plan.Frames.ToHashSet());
        }
        else
        {
            WalRegion.Clear(_device, start, length);
        }

        _device.Flush();
    }
}
