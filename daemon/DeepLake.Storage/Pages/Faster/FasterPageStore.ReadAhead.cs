// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;
using FASTER.core;

namespace DeepLake.Storage.Faster;

/// <summary>
/// Reading ahead: FASTER is asked for many pages before any of them is read, the reads that this needs
/// are gathered (LogRegionDevice.Gather) and given to the device together. FASTER hears of them on this
/// thread, in the order it asked, so a run stays as deterministic as its device.
/// </summary>
public sealed unsafe partial class FasterPageStore
{
    private const int ReadAheadPages = AsyncReads.Depth;

    private AlignedBuffer? _readAhead;

    public bool ReadsAhead => _cache.Capacity > 0;

    public void ReadAhead(ReadOnlySpan<ulong> pageIds)
    {
        _latch.ThrowIfFailed();
        Span<ulong> batch = stackalloc ulong[ReadAheadPages];
        int count = 0;
        // What is read first must not be pushed out by what is read last.
        int most = _cache.Capacity / 2;
        foreach (ulong pageId in pageIds)
        {
            if (most == 0)
            {
                break;
            }
            if (_cache.Contains(pageId))
            {
                continue;
            }
            batch[count++] = pageId;
            most--;
            if (count == batch.Length)
            {
                ReadBatch(batch);
                count = 0;
            }
        }
        ReadBatch(batch[..count]);
    }

    private void ReadBatch(ReadOnlySpan<ulong> pageIds)
    {
        if (pageIds.IsEmpty)
        {
            return;
        }
        _readAhead ??= new AlignedBuffer(ReadAheadPages * PageFormat.PageBytes);
        _functions.ReadAheadTo = _cache;
        _log.Gather();
        try
        {
            for (int i = 0; i < pageIds.Length; i++)
            {
                var key = new PageKey(pageIds[i]);
                Empty input = default;
                var output = new PageOutput { Destination = _readAhead.Pointer + (i * PageFormat.PageBytes) };
                _session.Read(ref key, ref input, ref output);
            }
        }
        finally
        {
            // From here on each read is done at once: those that follow a chain of records.
            _log.ReadGathered();
            _session.CompletePending(wait: true);
            _functions.ReadAheadTo = null;
        }
        _latch.ThrowIfFailed();
    }
}
