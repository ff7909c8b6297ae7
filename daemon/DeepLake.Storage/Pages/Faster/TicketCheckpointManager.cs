// SPDX-License-Identifier: MPL-2.0
using FASTER.core;

namespace DeepLake.Storage.Faster;

/// <summary>
/// FASTER's checkpoint manager without files: metadata goes into the ticket that the owner publishes,
/// the index into one of two slots, the log is where it is (fold-over).
/// </summary>
internal sealed class TicketCheckpointManager(IBlockDevice device, PageStoreGeometry geometry, DeviceLatch latch) : ICheckpointManager
{
    /// <summary>The slot that the next index checkpoint is written to.</summary>
    internal int NextIndexSlot { get; set; }

    internal int IndexSlot { get; private set; } = -1;

    /// <summary>What was read of it is not what was written.</summary>
    internal bool IndexIsDamaged { get; set; }

    internal Guid IndexToken { get; private set; }

    internal byte[] IndexMetadata { get; private set; } = [];

    internal List<IndexPiece> IndexPieces { get; private set; } = [];

    internal Guid LogToken { get; private set; }

    internal byte[] LogMetadata { get; private set; } = [];

    internal void Load(StoreTicket ticket)
    {
        IndexSlot = Math.Max(ticket.IndexSlot, -1);
        IndexToken = ticket.IndexToken;
        IndexMetadata = ticket.IndexMetadata;
        IndexPieces = [.. ticket.IndexPieces];
        LogToken = ticket.LogToken;
        LogMetadata = ticket.LogMetadata;
        NextIndexSlot = ticket.IndexSlot switch { < -1 => StoreTicket.DamagedSlot(ticket.IndexSlot), 0 => 1, _ => 0 };
    }

    public void InitializeIndexCheckpoint(Guid indexToken)
    {
        IndexToken = indexToken;
        IndexSlot = NextIndexSlot;
        NextIndexSlot = 1 - IndexSlot;
        IndexPieces = [];
    }

    public void CommitIndexCheckpoint(Guid indexToken, byte[] commitMetadata) => IndexMetadata = commitMetadata;

    public void InitializeLogCheckpoint(Guid logToken)
    {
    }

    public void CommitLogCheckpoint(Guid logToken, byte[] commitMetadata)
    {
        LogToken = logToken;
        LogMetadata = commitMetadata;
    }

    public byte[] GetIndexCheckpointMetadata(Guid indexToken) => IndexMetadata;

    public byte[] GetLogCheckpointMetadata(Guid logToken, DeltaLog deltaLog, bool scanDelta = false, long recoverTo = -1) => LogMetadata;

    public IDevice GetIndexDevice(Guid indexToken) =>
        new IndexSlotDevice(device, geometry.IndexSlot(IndexSlot), latch, IndexPieces, () => IndexIsDamaged = true);

    public IEnumerable<Guid> GetIndexCheckpointTokens() => IndexSlot < 0 ? [] : [IndexToken];

    public IEnumerable<Guid> GetLogCheckpointTokens() => [LogToken];

    // Fold-over checkpoints use neither a snapshot nor a delta log; null tells FASTER so.
    public IDevice GetDeltaLogDevice(Guid token) => null!;

    public IDevice GetSnapshotLogDevice(Guid token) => throw new InvalidOperationException("only fold-over checkpoints are taken");

    public IDevice GetSnapshotObjectLogDevice(Guid token) => throw new InvalidOperationException("only fold-over checkpoints are taken");

    public void CommitLogIncrementalCheckpoint(Guid logToken, long version, byte[] commitMetadata, DeltaLog deltaLog) =>
        throw new InvalidOperationException("only fold-over checkpoints are taken");

    public void CheckpointVersionShift(long oldVersion, long newVersion)
    {
    }

    public void OnRecovery(Guid indexToken, Guid logToken)
    {
    }

    public void Purge(Guid token)
    {
    }

    public void PurgeAll()
    {
    }

    public void Dispose()
    {
    }
}
