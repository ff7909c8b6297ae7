// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Storage;

/// <summary>
/// Pages of 4096 bytes by a 64-bit id, with checkpoints. A cache of what the WAL can rebuild: nothing
/// written is durable before <see cref="Checkpoint"/>, and no order between pages is kept. The first
/// four bytes of a page belong to the store (a checksum); callers neither set nor interpret them.
/// One thread owns an instance. After a <see cref="StorageException"/> other than ENOSPC every later
/// call throws too.
/// </summary>
public interface IPageStore : IDisposable
{
    /// <summary>Pages that exist now.</summary>
    long LivePages { get; }

    /// <summary>
    /// Pages that the region holds comfortably (a third of it): beyond this many the owner refuses new
    /// data with ENOSPC. The store itself refuses only when its region is really full.
    /// </summary>
    long CapacityPages { get; }

    /// <summary>Enough was written since the last checkpoint that the owner should take one soon.</summary>
    bool CheckpointDue { get; }

    /// <summary>
    /// What leads to the pages was damaged when the store was opened, and was made anew by reading all of them:
    /// nothing is lost, and the next checkpoint writes it.
    /// </summary>
    bool IndexWasDamaged => false;

    /// <summary>
    /// Writes that certainly succeed before the next checkpoint. Below the need of the largest
    /// transaction the owner checkpoints first (twice, if the first frees too little).
    /// </summary>
    long RoomPages { get; }

    /// <summary>Copies a page into the span of 4096 bytes; false when it does not exist.</summary>
    /// <exception cref="StorageException">The device failed or the page is corrupt (EUCLEAN).</exception>
    bool TryRead(ulong pageId, Span<byte> page);

    /// <summary>
    /// These pages are going to be read: brings those that are not in memory there, together, as far as its
    /// memory goes. Damage and failures are left to the reads.
    /// </summary>
    void ReadAhead(ReadOnlySpan<ulong> pageIds)
    {
    }

    /// <summary>Whether that does anything.</summary>
    bool ReadsAhead => false;

    /// <summary>Creates or replaces a page.</summary>
    /// <param name="pageId">Its number.</param>
    /// <param name="page">4096 bytes.</param>
    /// <param name="isKnown">The caller knows that the page exists: looking for it may cost a read.</param>
    /// <exception cref="StorageException">ENOSPC: nothing was changed; other: the store has failed.</exception>
    void Write(ulong pageId, ReadOnlySpan<byte> page, bool isKnown = false);

    /// <summary>Removes a page; false when it does not exist.</summary>
    /// <param name="pageId">Its number.</param>
    /// <param name="isKnown">As for <see cref="Write"/>.</param>
    bool Delete(ulong pageId, bool isKnown = false);

    /// <summary>
    /// On return every change so far is durable on the device. The ticket makes it recoverable once the
    /// owner publishes it; the ticket before it stays valid until the next call begins.
    /// </summary>
    CheckpointTicket Checkpoint();

    /// <summary>
    /// Does a bounded part of the work of the next checkpoint, about a millisecond of it; false when
    /// nothing is left that can be done ahead.
    /// </summary>
    bool PrepareSlice();

    /// <summary>
    /// The last checkpoint stays on the device after later ones, so that another store can be opened on
    /// it by its ticket; until <see cref="Release"/>, or until the room it takes is needed. Call it right
    /// after <see cref="Checkpoint"/>. False when one is held already.
    /// </summary>
    bool Hold();

    /// <summary>Ends <see cref="Hold"/>; false when it had ended before.</summary>
    bool Release();

    /// <summary>
    /// Moves live pages out of the oldest part of the region, examining at most this many records; space
    /// is free again after the second checkpoint from then. Writing paces itself, so this is only for
    /// idle moments. Returns the records examined, 0 when there is nothing to gain.
    /// </summary>
    int CompactSlice(int maxPages);
}
