// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Engine.Archive;

/// <summary>What who writes a base asks of the engine, on the engine's thread.</summary>
public interface IArchiveEngine
{
    /// <summary>A new base should be written: the last is far behind, or the archive was interrupted; and there is room.</summary>
    bool BaseIsWanted { get; }

    /// <summary>
    /// Takes a checkpoint and holds it, and the log from there on, until <see cref="FinishBase"/> or
    /// <see cref="AbandonBase"/>. Null when a checkpoint is held already.
    /// </summary>
    ArchiveBase? BeginBase();

    /// <summary>Free blocks in a row for a segment, which nobody else gets; false when there are none.</summary>
    bool TryLeaseSegment(uint blocks, out ArchiveEntry segment);

    /// <summary>
    /// All of the checkpoint has been read. False when it was not held all the time: what was read may be of
    /// another, and must not be finished.
    /// </summary>
    bool EndReading();

    /// <summary>
    /// The parts are written: they become the newest base, durably, and what only bases before the previous
    /// one needed is freed. False when what was held had to be given up meanwhile; the parts are free again.
    /// </summary>
    bool FinishBase(ArchiveBase finished, ReadOnlySpan<ArchiveEntry> parts);

    /// <summary>Gives up what is held and leased for a base; nothing when there is none.</summary>
    void AbandonBase();
}
