// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.Format;
using DeepLake.Engine.State;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine;

/// <summary>
/// Checkpoints of one lake, while it is served and while its log is replayed, and the room in the page
/// store that they keep. Nothing may fill the store so far that the next checkpoint has no room: what is
/// durable then could not be opened again (docs/durability.md).
/// </summary>
internal sealed class CheckpointWriter
{
    // Below this nothing grows any more. What is left is for deleting, and for the checkpoint after it.
    private const long MinRoomPages = 256;

    // One intent that deletes changes few pages.
    private const long LastRoomPages = 64;

    // About a millisecond.
    private const int SlicePages = 128;

    // A whole checkpoint is some eighty slices with a full log to be archived.
    private const int SliceLogBytes = 32 << 10;

    // A checkpoint gains by cleaning, but what it cleaned is free only after the one that follows.
    private const int MaxTries = 8;

    private readonly IPageStore _store;
    private readonly LakeState _state;
    private readonly TimeProvider _clock;
    private readonly long _minRoomPages;
    private long _wantedRoomPages;
    private ulong _stamp;
    private bool _treeIsPrepared;
    private (ulong Stamp, ulong LoggedBytes)? _sliced; // while slices of the next checkpoint are being written

    /// <summary>As last written to the device; its mount count is the owner's to change.</summary>
    public Superblock Superblock;

    public CheckpointWriter(IPageStore store, LakeState state, in Superblock superblock, ICommitSink sink, TimeProvider clock)
    {
        _store = store;
        _state = state;
        _clock = clock;
        Superblock = superblock;
        Sink = sink;
        _minRoomPages = Math.Max(MinRoomPages, store.CapacityPages / 16);
        _wantedRoomPages = _minRoomPages;
    }

    public ICommitSink Sink { get; set; }

    /// <summary>Of the last checkpoint; null before the first.</summary>
    public CheckpointTicket? Ticket { get; private set; }

    /// <summary>Checkpoints written so far.</summary>
    public ulong Count { get; private set; }

    /// <summary>One should be taken at the next opportunity. Not for ever: only if something changed since the last.</summary>
    public bool IsDue => _store.CheckpointDue || (RoomPages < 2 * _minRoomPages && _stamp != _state.Tree.WorkStamp);

    /// <summary>One must be taken before anything else is applied.</summary>
    public bool IsShort => RoomPages < _wantedRoomPages;

    public static WalPosition PositionOf(in Superblock superblock) =>
        new(superblock.CheckpointWalLsn, (long)superblock.CheckpointWalOffset);

    /// <summary>
    /// Takes checkpoints while the store is short of room and they may help. When they did not, the next
    /// time is when half of what is left is gone.
    /// </summary>
    /// <param name="checkpoint">Takes one.</param>
    public void MakeRoom(Action checkpoint)
    {
        if (IsShort)
        {
            _store.Release();
        }

        for (int tries = 0; tries < MaxTries && IsShort; tries++)
        {
            checkpoint();
        }

        _wantedRoomPages = RoomPages >= _minRoomPages ? _minRoomPages : RoomPages / 2;
    }

    /// <summary>
    /// How many slices are to be written now: one, and more for the pages and the bytes of the log that were
    /// changed since the last. What comes between a checkpoint that is due and its end has to be replayed
    /// after a crash, so it has a bound: a few MiB of the log, a few thousand pages.
    /// </summary>
    /// <param name="loggedBytes">Of all intents so far.</param>
    public ulong BeginSlices(ulong loggedBytes) => _sliced is { } last
        ? 1 + ((_state.Tree.WorkStamp - last.Stamp) / SlicePages) + ((loggedBytes - last.LoggedBytes) / SliceLogBytes)
        : 1;

    public void EndSlices(ulong loggedBytes) => _sliced = (_state.Tree.WorkStamp, loggedBytes);

    /// <summary>
    /// Writes a bounded part of what the next checkpoint would have to write: first changed pages to the
    /// store, once around, then the store's memory to the device. False when the rest is the checkpoint's.
    /// </summary>
    public bool PrepareSlice()
    {
        if (!_treeIsPrepared)
        {
            _treeIsPrepared = !_state.Tree.FlushSome(SlicePages);
            return true;
        }

        return _store.PrepareSlice();
    }

    /// <summary>Whether an intent may be applied now.</summary>
    /// <param name="grows">It may need new pages; else it deletes.</param>
    public bool HasRoomFor(bool grows) => RoomPages >= (grows ? _minRoomPages : LastRoomPages);

    /// <summary>
    /// Makes the state durable; everything applied is in durable frames before <paramref name="position"/>,
    /// or is skipped when the frame there is replayed.
    /// </summary>
    public void Write(SuperblockState mark, WalPosition position, ulong durableSeq)
    {
        _state.Flush();
        CheckpointTicket ticket = _store.Checkpoint();
        Superblock.Generation++;
        Superblock.State = Planted.Is(PlantedFault.CleanMarkKept) ? SuperblockState.Clean : mark;
        Superblock.Epoch = _state.Counters.Epoch;
        Superblock.WrittenSec = (ulong)_clock.GetUtcNow().ToUnixTimeSeconds();
        Superblock.CheckpointSeq = _state.Counters.AppliedSeq;
        Superblock.CheckpointWalLsn = position.Lsn;
        Superblock.CheckpointWalOffset = (ulong)position.OffsetBytes;
        SuperblockStore.Publish(Sink, ref Superblock, ticket, durableSeq);
        _stamp = _state.Tree.WorkStamp;
        _treeIsPrepared = false;
        _sliced = null;
        Ticket = ticket;
        Count++;
    }

    // Twice, because a replay may have less cache and write pages that this engine only keeps.
    private long RoomPages => _store.RoomPages - (2L * _state.Tree.DirtyPages) - _state.Space.DirtyChunks;
}
