// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Control;
using DeepLake.Engine.Changes;

namespace DeepLake.Laked.Watch;

/// <summary>
/// Changes out of the entries of a log. Entries of one frame that follow each other and write, or allocate, blocks
/// of one file are one change: frames are what they are for ever, so whoever reads the log whenever gets the same.
/// </summary>
/// <param name="reader">Where the entries come from.</param>
/// <param name="cursor">The text of a place.</param>
/// <param name="showsAll">Entries that no program has caused, too.</param>
internal sealed class ChangeRows(ChangeReader reader, Func<LogPlace, string> cursor, bool showsAll)
{
    // A message has the limits of the control protocol; names, targets and paths are some hundred bytes mostly.
    private const int ChangesMost = 256;
    private const int BytesMost = 256 << 10;
    private const int EntriesMost = 10_000;

    private Change? _row;
    private LogPlace _rowEnd;

    /// <summary>Behind all that was taken, and behind what is not shown.</summary>
    internal LogPlace Passed { get; private set; } = reader.Place;

    /// <summary>Some changes, a bounded number; the place says whether there may be more.</summary>
    /// <param name="until">Not beyond this frame.</param>
    /// <param name="into">Where they go.</param>
    /// <returns>Whether the place has moved.</returns>
    internal bool Take(ulong until, ICollection<Change> into)
    {
        LogPlace from = Passed;
        int bytes = 0;
        for (int entries = 0; entries < EntriesMost && into.Count < ChangesMost && bytes < BytesMost; entries++)
        {
            if (reader.Place.Lsn >= until || !reader.TryNext(out ReadOnlySpan<byte> entry))
            {
                break;
            }

            bytes += Add(entry, into);
        }

        return Passed != from;
    }

    /// <summary>Whether all that there was at the last look has been taken.</summary>
    internal bool IsAtEnd(ulong until) => Passed.Lsn >= until;

    private int Add(ReadOnlySpan<byte> entry, ICollection<Change> into)
    {
        int bytes = 0;
        IntentOp op = MemoryMarshal.Read<IntentHeader>(entry).Op;
        bool isShown = showsAll || !ChangeDecoder.IsBackground(op);
        Change? change = isShown ? ChangeDecoder.Decode(entry) : null;
        if (_row is null || change is null || !TryMerge(_row, change))
        {
            bytes = Finish(into);
            _row = change;
        }

        _rowEnd = reader.Place;
        if (_row is { } row)
        {
            (row.Seq, row.Epoch) = (reader.Place.Seq, reader.Place.Epoch);
        }

        if (_row is null || reader.Place.Entry == 0) // the frame's end
        {
            bytes += Finish(into);
            Passed = reader.Place;
        }

        return bytes;
    }

    private int Finish(ICollection<Change> into)
    {
        if (_row is not { } row)
        {
            return 0;
        }

        row.Cursor = cursor(_rowEnd);
        into.Add(row);
        _row = null;
        Passed = _rowEnd;
        return row.CalculateSize();
    }

    private static bool TryMerge(Change row, Change next)
    {
        if (row.Ino != next.Ino || row.Op != next.Op || row.Op is not (ChangeDecoder.Write or ChangeDecoder.Allocate))
        {
            return false;
        }

        row.FirstByte = Math.Min(row.FirstByte, next.FirstByte);
        row.EndByte = Math.Max(row.EndByte, next.EndByte);
        if (next.HasSize)
        {
            row.Size = row.HasSize ? Math.Max(row.Size, next.Size) : next.Size;
        }

        row.Mtime = next.Mtime ?? row.Mtime;
        row.Ctime = next.Ctime ?? row.Ctime;
        row.Entries++;
        return true;
    }
}
