// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Storage;

namespace DeepLake.Engine.Ingest;

/// <summary>
/// How far two files are equal around a place, read and compared a step at a time, forwards and then
/// backwards. What both have in common on the device is not read. What is found is equal as long as both
/// maps say what they said: all of it is checked, and so cannot change where it is.
/// </summary>
internal sealed class PieceMatch(IIngestEngine engine, PieceReader reader)
{
    /// <summary>How far it goes in each direction at most.</summary>
    public const ulong ReachBytes = (ulong)LakeRing.CloneBlocksMax * LakeFormat.BlockSize;

    // Most places that lead to nothing show that with the first bytes.
    private const ulong FirstBytes = 64 << 10;

    private readonly byte[] _target = new byte[PieceReader.BytesMost];
    private readonly byte[] _source = new byte[PieceReader.BytesMost];
    private ulong _ino;
    private ulong _sourceOfBegin;
    private ulong _begin;
    private ulong _low;
    private ulong _high;
    private bool _isForwardDone;

    /// <summary>Both maps as they were when it began.</summary>
    public SealView? TargetView { get; private set; }

    public SealView? SourceView { get; private set; }

    public ulong Source { get; private set; }

    /// <summary>Where the equal bytes begin in the target.</summary>
    public ulong From { get; private set; }

    /// <summary>Where they end.</summary>
    public ulong End { get; private set; }

    /// <summary>Nothing different was found in front: they may be equal for longer.</summary>
    public bool IsCut { get; private set; }

    /// <summary>They are equal up to the place where one of the files ends, or to where <see cref="IsCut"/> says.</summary>
    public bool IsToTheEnd => End == _high;

    /// <summary>The source's byte that is equal to one of the target.</summary>
    public ulong SourceOf(ulong pos) => unchecked(pos + _sourceOfBegin - _begin);

    /// <param name="target">Which file; and its size.</param>
    /// <param name="source">The other one; and its size.</param>
    /// <param name="pos">The place in the target, before its end.</param>
    /// <param name="sourcePos">The place in the source, before its end.</param>
    /// <param name="floor">What is before it in the target does not matter.</param>
    public void Begin((ulong Ino, ulong Size) target, (ulong Ino, ulong Size) source, ulong pos, ulong sourcePos, ulong floor)
    {
        (_ino, Source, _begin, _sourceOfBegin) = (target.Ino, source.Ino, pos, sourcePos);
        (From, End, _isForwardDone) = (pos, pos, false);
        _low = pos - Math.Min(Math.Min(pos - floor, sourcePos), ReachBytes);
        ulong room = Math.Min(target.Size - pos, source.Size - sourcePos);
        IsCut = room > ReachBytes;
        _high = IsCut ? (pos + ReachBytes) / LakeFormat.BlockSize * LakeFormat.BlockSize : pos + room;
        TargetView = Look(_ino, _low, _high);
        SourceView = Look(Source, SourceOf(_low), SourceOf(_high));
    }

    /// <summary>Compares some more; false when all is known.</summary>
    /// <exception cref="StorageException">The device failed.</exception>
    public bool Advance()
    {
        if (!_isForwardDone)
        {
            Forward();
            return !_isForwardDone || (End > _begin && From > _low);
        }

        return Backward();
    }

    /// <summary>The map of a file around a range of bytes.</summary>
    public SealView? Look(ulong ino, ulong from, ulong end)
    {
        ulong block = from / LakeFormat.BlockSize;
        return engine.LookForSeal(ino, block, (uint)(((end + LakeFormat.BlockSize - 1) / LakeFormat.BlockSize) - block));
    }

    private void Forward()
    {
        ulong most = End == _begin ? FirstBytes : PieceReader.BytesMost - (End % LakeFormat.BlockSize);
        int bytes = (int)Math.Min(most, _high - End);
        int equal = EqualFirst(End, bytes);
        End += (ulong)equal;
        IsCut &= equal == bytes;
        _isForwardDone = equal < bytes || End == _high;
    }

    private bool Backward()
    {
        ulong over = From % LakeFormat.BlockSize;
        int bytes = (int)Math.Min(PieceReader.BytesMost - LakeFormat.BlockSize + over, From - _low);
        int equal = EqualLast(From - (ulong)bytes, bytes);
        From -= (ulong)equal;
        return equal == bytes && From > _low;
    }

    private int EqualFirst(ulong pos, int bytes)
    {
        if (DeviceRun.AreSame(TargetView, pos, SourceView, SourceOf(pos), (ulong)bytes))
        {
            return bytes;
        }

        int read = reader.ReadFirst(TargetView, pos, _target.AsSpan(0, bytes));
        read = read == 0 ? 0 : Math.Min(read, reader.ReadFirst(SourceView, SourceOf(pos), _source.AsSpan(0, read)));
        return _target.AsSpan(0, read).CommonPrefixLength(_source.AsSpan(0, read));
    }

    private int EqualLast(ulong pos, int bytes)
    {
        if (DeviceRun.AreSame(TargetView, pos, SourceView, SourceOf(pos), (ulong)bytes))
        {
            return bytes;
        }

        int read = reader.ReadLast(TargetView, pos, _target.AsSpan(0, bytes));
        read = read == 0 ? 0 : Math.Min(read, reader.ReadLast(SourceView, SourceOf(pos), _source.AsSpan(0, bytes)));
        int equal = 0;
        while (equal < read && _target[bytes - 1 - equal] == _source[bytes - 1 - equal])
        {
            equal++;
        }

        return equal;
    }
}
