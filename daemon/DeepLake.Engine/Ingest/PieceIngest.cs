// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine.Ingest;

/// <summary>
/// Has a file that is equal to no other one share the pieces that others have, too, at whatever byte they
/// begin (docs/sharing.md): its anchors lead to places in other files, where both are read and compared. A
/// step at a time; it may stop after any of them: each range that was shared is right by itself. What nobody
/// has goes into the anchor table at the end.
/// </summary>
public sealed class PieceIngest(IIngestEngine engine, ISharer kernel, PieceReader reader, AnchorTable table)
{
    /// <summary>Smaller files are left as they are.</summary>
    public const ulong SizeLeast = 16 << 10;

    /// <summary>Pages of the anchor table that are written in a step.</summary>
    public const int PagesOfAStep = 64;

    private const int TriesMost = 2;

    /// <summary>Anchors that are looked up together: the table's pages are read for nothing when one leads to a long match.</summary>
    private const int AnchorsOfALook = 64;

    /// <summary>So many places one after the other that were read in vain, and no more are tried.</summary>
    private const int MissesMost = 32;

    private readonly PieceMatch _match = new(engine, reader);
    private readonly AnchorItem[] _seen = new AnchorItem[AnchorsOfALook];
    private Action _step = () => { };
    private Anchor[] _anchors = [];
    private bool[] _isKnown = [];
    private ulong _ino;
    private ulong _dataSeq;
    private int _index;
    private int _lookedFrom;
    private int _lookedEnd;
    private int _misses;
    private bool _isByAnchor;
    private bool _haveOneEnd;
    private ulong _equalFrom;
    private ulong _equalEnd;
    private ulong _at;
    private ulong _end;
    private ulong _askedSeq;
    private int _tries;

    public bool IsDone { get; private set; } = true;

    /// <summary>The last step did nothing: what was asked for is not applied yet.</summary>
    public bool IsWaiting { get; private set; }

    /// <summary>Why the kernel refused, when that ended it.</summary>
    public Errno Refusal { get; private set; }

    /// <summary>Lists the anchors of the file while its content is hashed.</summary>
    public AnchorLister Lister { get; } = new();

    public static bool IsWorthIt(ulong size) => size >= SizeLeast;

    /// <param name="ino">Which file; all that it has written is checked.</param>
    /// <param name="dataSeq">Its content, for which the <see cref="Lister"/> has the anchors.</param>
    public void Begin(ulong ino, ulong dataSeq)
    {
        (_ino, _dataSeq) = (ino, dataSeq);
        _anchors = Lister.Finish();
        var fingerprints = new HashSet<ulong>();
        _isKnown = [.. _anchors.Select(a => !fingerprints.Add(a.Fingerprint))]; // of equal ones the first goes into the table
        (_index, _lookedFrom, _lookedEnd, _misses, _tries) = (0, 0, 0, 0, 0);
        (_equalFrom, _equalEnd, _askedSeq) = (0, 0, 0);
        (IsDone, IsWaiting, Refusal) = (false, false, Errno.None);
        _step = Search;
    }

    /// <exception cref="StorageException">The device failed: the file stays what it is.</exception>
    public void Advance()
    {
        IsWaiting = engine.AppliedSeq < _askedSeq;
        if (!IsDone && !IsWaiting)
        {
            _step();
        }
    }

    /// <summary>The next anchor that is not in what was found equal, and was seen elsewhere.</summary>
    private void Search()
    {
        _step = Search;
        for (; _index < _anchors.Length && _misses < MissesMost; _index++)
        {
            Anchor anchor = _anchors[_index];
            if (anchor.Pos < _equalEnd)
            {
                continue;
            }

            if (_index >= _lookedEnd)
            {
                LookUp();
                return;
            }

            AnchorItem seen = _seen[_index - _lookedFrom];
            _isKnown[_index] |= seen.Ino == _ino && seen.Pos == anchor.Pos; // a file that has grown
            if (seen.Ino != 0 && seen.Ino != _ino)
            {
                _index++;
                _isByAnchor = true;
                Try(anchor.Pos, seen.Ino, seen.Pos);
                return;
            }
        }

        _index = _anchors.Length;
        _step = Note;
    }

    private void LookUp()
    {
        int count = Math.Min(AnchorsOfALook, _anchors.Length - _index);
        Span<ulong> fingerprints = stackalloc ulong[AnchorsOfALook];
        for (int i = 0; i < count; i++)
        {
            fingerprints[i] = _anchors[_index + i].Fingerprint;
        }

        table.Find(fingerprints[..count], _seen);
        (_lookedFrom, _lookedEnd) = (_index, _index + count);
    }

    private void Try(ulong pos, ulong source, ulong sourcePos)
    {
        ContentView? target = engine.LookAtContent(_ino, ulong.MaxValue);
        if (target is null || target.DataSeq != _dataSeq)
        {
            IsDone = true; // it changed, and its turn comes again
            return;
        }

        ContentView? other = engine.LookAtContent(source, ulong.MaxValue);
        if (other is null || sourcePos >= other.Size || pos >= target.Size)
        {
            _step = Search;
            return;
        }

        _haveOneEnd = pos == sourcePos && target.Size == other.Size;
        _match.Begin((_ino, target.Size), (source, other.Size), pos, sourcePos, _equalEnd);
        _step = Compare;
    }

    private void Compare()
    {
        if (_match.Advance())
        {
            return;
        }

        if (_match.End == _match.From)
        {
            _misses += _isByAnchor ? 1 : 0;
            _step = Search;
            return;
        }

        _misses = 0;
        Found();
        _at = (_match.From + LakeFormat.BlockSize - 1) / LakeFormat.BlockSize;
        _end = _match.End / LakeFormat.BlockSize;
        if (_haveOneEnd && !_match.IsCut && _match.IsToTheEnd)
        {
            _end = (_match.End + LakeFormat.BlockSize - 1) / LakeFormat.BlockSize; // the block in which both end
        }

        _step = Ask;
    }

    /// <summary>Anchors whose chunks are equal elsewhere do not go into the table: the first copy stays the one that is found.</summary>
    private void Found()
    {
        _equalFrom = _isByAnchor || _match.From != _equalEnd ? _match.From : _equalFrom;
        _equalEnd = _match.End;
        int first = Array.FindIndex(_anchors, a => a.Pos >= _equalFrom);
        for (int i = first; i >= 0 && i < _anchors.Length && _anchors[i].Pos < _equalEnd; i++)
        {
            _isKnown[i] |= _anchors[i].End <= _equalEnd;
        }
    }

    /// <summary>
    /// Has the next blocks shared, when both maps are what they were when the bytes were compared: what is
    /// checked and lies where it lay has not changed meanwhile, and the kernel refuses when either changes after
    /// these looks.
    /// </summary>
    private void Ask()
    {
        if (_at >= _end)
        {
            GoOn();
            return;
        }

        ulong pos = _at * LakeFormat.BlockSize;
        ulong bytes = (_end - _at) * LakeFormat.BlockSize;
        ulong sourcePos = _match.SourceOf(pos);
        SealView? target = _match.Look(_ino, pos, pos + bytes);
        SealView? source = _match.Look(_match.Source, sourcePos, sourcePos + bytes);
        if (target is null || source is null || target.MetadataIsFull
            || !DeviceRun.AreSame(target, pos, _match.TargetView, pos, bytes)
            || !DeviceRun.AreSame(source, sourcePos, _match.SourceView, sourcePos, bytes))
        {
            _step = target is { MetadataIsFull: true } ? Note : Search;
        }
        else if (PieceShare.Next(target, source, sourcePos, _at, _end) is { } next)
        {
            Ask(next, target, source);
        }
        else
        {
            GoOn();
        }
    }

    private void Ask(in PieceShare share, SealView target, SealView source)
    {
        var args = new ShareArgs
        {
            SrcIno = source.Ino,
            DstIno = _ino,
            SrcGeneration = source.Generation,
            DstGeneration = target.Generation,
            MapSeq = Math.Min(target.AppliedSeq, source.AppliedSeq),
            SrcPos = share.SourcePos,
            DstBlock = share.TargetBlock,
            Blocks = share.Blocks,
        };
        Errno answer = kernel.Share(ref args);
        switch (answer)
        {
            case Errno.None:
                _askedSeq = args.Seq;
                break;
            case Errno.EAGAIN when _tries < TriesMost:
                _tries++; // a kernel that had to load an inode takes it for changed up to then
                return;
            case Errno.EAGAIN or Errno.EBUSY or Errno.ENOENT or Errno.EINVAL:
                break; // these blocks stay what they are
            default:
                Refusal = answer;
                IsDone = true;
                return;
        }

        _tries = 0;
        _at = share.TargetBlock + share.Blocks;
    }

    /// <summary>The same two files, behind what was compared; or the next anchor.</summary>
    private void GoOn()
    {
        if (_match.IsCut)
        {
            _isByAnchor = false;
            Try(_match.End, _match.Source, _match.SourceOf(_match.End));
            return;
        }

        _step = Search;
    }

    /// <summary>Notes the anchors of what is not known elsewhere, nor noted already.</summary>
    private void Note()
    {
        _step = Note;
        for (int i = 0; i < _anchors.Length; i++)
        {
            if (_isKnown[i])
            {
                continue;
            }

            if (table.IsFull)
            {
                table.Store(PagesOfAStep);
                return;
            }

            table.Put(_anchors[i].Fingerprint, _ino, _anchors[i].Pos);
            _isKnown[i] = true;
        }

        IsDone = true;
    }
}
