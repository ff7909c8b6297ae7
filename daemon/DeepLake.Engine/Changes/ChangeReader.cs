// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Storage;

namespace DeepLake.Engine.Changes;

/// <summary>
/// The durable entries of a lake's log in their order, from a place on, each once: out of the archive as long as
/// they are not in the log itself any more. Nothing is left out in silence (docs/watch.md).
/// </summary>
public sealed class ChangeReader : IDisposable
{
    private readonly FrameSource _frames;
    private WalFrame _frame;
    private int _at; // of the next entry in the payload
    private bool _isBegun; // the place is within _frame, at _at

    /// <param name="log">The engine.</param>
    /// <param name="device">The lake's, for reading beside the engine.</param>
    /// <param name="superblock">Of the lake.</param>
    public ChangeReader(IChangeLog log, IBlockDevice device, in Superblock superblock)
    {
        _frames = new FrameSource(log, device, superblock);
        Place = _frames.View.End;
    }

    /// <summary>Behind the last entry; at first, behind all that is durable.</summary>
    public LogPlace Place { get; private set; }

    /// <summary>Behind all that was durable when it was looked last.</summary>
    public LogPlace End => _frames.View.End;

    /// <summary>The oldest place from which all that follows is kept.</summary>
    public LogPlace FindOldest() => _frames.FindOldest();

    /// <summary>Looks what has become durable; false when that is nothing.</summary>
    public bool Refresh()
    {
        _frames.Refresh();
        return Place.Lsn < _frames.View.Next.Lsn;
    }

    /// <summary>Goes to a place.</summary>
    /// <exception cref="ChangeLogException">It is not in this log, or not any more.</exception>
    public void MoveTo(LogPlace place)
    {
        LogPlace end = _frames.View.End;
        if (place.Lsn > end.Lsn || (place.Lsn == end.Lsn && place.Entry > 0) || (place.Lsn == end.Lsn && place.Seq > end.Seq))
        {
            throw new ChangeLogException(ChangeLogProblem.Future, place, $"the newest durable change is {end.Seq}, before that place");
        }

        Place = place;
        _isBegun = false;
        if (place.Lsn == end.Lsn)
        {
            Require(IsSame(place.Crc, end.Crc) && IsSame(place.Seq, end.Seq) && place.Epoch <= end.Epoch);
        }
        else
        {
            Begin();
        }
    }

    /// <summary>The next entry, valid until the next call; false when there is none that was durable at the last look.</summary>
    /// <exception cref="ChangeLogException">It is not kept any more, or the log contradicts itself.</exception>
    public bool TryNext(out ReadOnlySpan<byte> entry)
    {
        entry = default;
        if (Place.Lsn >= _frames.View.Next.Lsn)
        {
            return false;
        }

        if (!_isBegun)
        {
            Begin();
        }

        entry = EntryAt(_frames.Payload, _at);
        _at += entry.Length;
        ulong seq = Math.Max(Place.Seq, MemoryMarshal.Read<IntentHeader>(entry).Seq);
        bool isLast = _at == _frames.Payload.Length;
        _isBegun = !isLast;
        Place = isLast
            ? new LogPlace(_frame.Lsn + 1, 0, seq, _frame.Epoch, _frame.Crc32c)
            : new LogPlace(_frame.Lsn, Place.Entry + 1, seq, _frame.Epoch, _frame.Crc32c);
        return true;
    }

    public void Dispose() => _frames.Dispose();

    /// <summary>Reads the frame of the place, and proves that what is before it is what the place says.</summary>
    private void Begin()
    {
        if (!_frames.TryRead(Place.Lsn, out _frame))
        {
            throw new ChangeLogException(ChangeLogProblem.Gone, Place, "the changes that follow are not kept any more");
        }

        if (Place.Entry > 0)
        {
            Require(IsSame(Place.Crc, _frame.Crc32c) && Place.Epoch == _frame.Epoch && Place.Entry < _frame.EntryCount);
        }
        else
        {
            Require(IsSame(Place.Crc, _frame.PrevCrc32c) && Place.Epoch <= _frame.Epoch
                && (_frame.FirstSeq == 0 || Place.Seq == 0 || _frame.FirstSeq == Place.Seq + 1));
        }

        _at = 0;
        for (uint passed = 0; passed < Place.Entry; passed++)
        {
            _at += EntryAt(_frames.Payload, _at).Length;
        }

        _isBegun = true;
    }

    private void Require(bool isSameHistory)
    {
        if (!isSameHistory)
        {
            throw new ChangeLogException(ChangeLogProblem.OtherHistory, Place, "that place is in a history that this lake does not have");
        }
    }

    private static bool IsSame(ulong known, ulong found) => known == 0 || found == 0 || known == found;

    private ReadOnlySpan<byte> EntryAt(ReadOnlySpan<byte> payload, int at)
    {
        ReadOnlySpan<byte> rest = payload[at..];
        uint bytes = rest.Length < Unsafe.SizeOf<IntentHeader>() ? 0 : MemoryMarshal.Read<uint>(rest);
        return bytes < Unsafe.SizeOf<IntentHeader>() || bytes > rest.Length
            ? throw new ChangeLogException(ChangeLogProblem.Damaged, Place, $"frame {_frame.Lsn} of the log holds a malformed entry")
            : rest[..(int)bytes];
    }
}
