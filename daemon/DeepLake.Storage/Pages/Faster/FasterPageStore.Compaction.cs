// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;

namespace DeepLake.Storage.Faster;

/// <summary>
/// Cleaning of the circular log, oldest first: a record whose page has not been written since is copied
/// to the tail. What is behind is free once both kept checkpoints begin after it.
/// </summary>
public sealed unsafe partial class FasterPageStore
{
    /// <summary>Records examined per record written while the log is over its target: at most two thirds of
    /// them are live (the live pages are a third of the region, the target half of it), so this gains.</summary>
    private const int PacePages = 4;

    private const int ScanRecords = 32;

    private const int MaxCleanedPerCheckpoint = 2048;

    private AlignedBuffer? _scanBuffer;
    private long _scanStart;
    private int _scanBytes;
    private long _compactedUntil = LogLayout.FirstAddress;
    private long _pacedTail;

    /// <summary>Live pages that cleaning has copied.</summary>
    public long PagesMoved { get; private set; }

    public int CompactSlice(int maxPages)
    {
        _latch.ThrowIfFailed();
        int examined = 0;
        // Below this garbage share a pass would mostly copy live pages.
        while (examined < maxPages && SpanBytes > Math.Max(_layout.PageBytes * 4, 2 * _livePages * LogLayout.RecordBytes))
        {
            int step = CompactRecords(Math.Min(maxPages - examined, ScanRecords));
            if (step == 0)
            {
                break;
            }
            examined += step;
        }
        _latch.ThrowIfFailed();
        return examined;
    }

    private long TargetSpanBytes => _geometry.LogBytes / 2;

    private long SpanBytes => _store.Log.TailAddress - _compactedUntil;

    private void PaceCompaction()
    {
        long tail = _store.Log.TailAddress;
        if (tail == _pacedTail || SpanBytes <= TargetSpanBytes || WritableRecords <= ReserveRecords)
        {
            return;
        }
        CompactRecords(PacePages);
        _pacedTail = _store.Log.TailAddress;
    }

    // When writes have eaten into the reserve, checkpoints clean. Copying takes at most half of what is
    // free, so that every checkpoint can; what it gains is free after the next one.
    private void CleanForSpace()
    {
        if (WritableRecords > ReserveRecords)
        {
            return;
        }
        long moveLimit = PagesMoved + Math.Max(1, FreeRecords / 2);
        for (int examined = 0; examined < MaxCleanedPerCheckpoint && SpanBytes > TargetSpanBytes && PagesMoved < moveLimit; examined++)
        {
            if (CompactRecords(1) == 0)
            {
                break;
            }
        }
    }

    // Only what the last checkpoint made durable is cleaned: it is read-only and on the device.
    private int CompactRecords(int count)
    {
        int examined = 0;
        while (examined < count)
        {
            long record = _layout.FirstRecordAtOrAfter(_compactedUntil);
            if (record + LogLayout.RecordBytes > _checkpointTail || FreeRecords == 0)
            {
                break;
            }
            byte* at = Scan(record);
            if (LogLayout.IsLiveRecord(at))
            {
                MoveIfLive(record, at);
            }
            if (_latch.HasFailed)
            {
                break;
            }
            _compactedUntil = record + LogLayout.RecordBytes;
            examined++;
        }
        return examined;
    }

    private void MoveIfLive(long record, byte* at)
    {
        ulong pageId = LogLayout.PageId(at);
        bool isIntact = PageFormat.IsIntact(pageId, LogLayout.Page(at));
        fixed (byte* destination = _scratch.Span)
        {
            if (!Find(pageId, destination, out long newest, out bool fromDevice))
            {
                return;
            }
            if (!isIntact)
            {
                // An older version, which nobody needs, may be as damaged as it likes.
                if (!PageFormat.IsIntact(pageId, _scratch.Span))
                {
                    throw Corrupt(pageId);
                }
                return;
            }
            // Addresses tell only of what is in memory. Equal bytes may be moved in any case.
            bool isNewest = fromDevice ? _scratch.Span.SequenceEqual(LogLayout.Page(at)) : newest == record;
            if (!isNewest)
            {
                return;
            }
        }
        Upsert(pageId, LogLayout.Page(at));
        PagesMoved++;
    }

    // The scan buffer also answers FASTER's own reads of these addresses (LogRegionDevice.SetWindow).
    private byte* Scan(long record)
    {
        if (_scanBuffer == null || record < _scanStart || record + LogLayout.RecordBytes > _scanStart + _scanBytes)
        {
            _scanBuffer ??= new AlignedBuffer((int)DeviceBounds.AlignUp(ScanRecords * LogLayout.RecordBytes) + 2 * DeviceBounds.BlockBytes);
            long end = Math.Min(_layout.RunEnd(record, _checkpointTail), record + ScanRecords * LogLayout.RecordBytes);
            _log.ClearWindow();
            _scanStart = DeviceBounds.AlignDown(record);
            _scanBytes = (int)(DeviceBounds.AlignUp(end) - _scanStart);
            _log.ReadOrGiveUp(_scanStart, _scanBuffer.Slice(0, _scanBytes));
            _log.SetWindow(_scanBuffer.Pointer, _scanStart, _scanBytes);
        }
        return _scanBuffer.Pointer + (record - _scanStart);
    }
}
