// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Metadata.Tables;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine.Ingest;

/// <summary>
/// Packs files, one after the other (docs/packing.md): what of them lies by itself and is checked is compressed, 32
/// blocks at a time; what is left of a file, and small ones, wait for others to make a pack with; what they share
/// waits until it is known who has it. A step at a time; it may stop after any of them, and each part that was moved
/// is right by itself.
/// </summary>
public sealed class PackIngest(IPackEngine engine, PackStore store, PieceReader reader)
{
    /// <summary>So many packs one after the other that were not worth it, and the rest of a file is left as it is.</summary>
    private const int MissesMost = 4;

    /// <summary>Files that are remembered until they can be marked.</summary>
    private const int FilesMost = 1 << 14;

    private readonly PackBatch _whole = new(); // 32 blocks of one file
    private readonly PackBatch _rests = new();
    private readonly SharedWindows _windows = new();
    private readonly SharedPacker _shared = new(engine, store, reader);
    private readonly List<(ulong Ino, ulong DataSeq)> _files = [];
    private readonly List<(ulong Ino, ulong DataSeq)> _filesWithShared = [];
    private Action _step = () => { };
    private Action _after = () => { }; // what was written
    private PackBatch _batch = new(); // the one that is written next
    private ulong _ino;
    private PackCandidate _file = new(0, 0, true);
    private bool _hasShared;
    private ulong _at;
    private int _misses;
    private bool _isFlushing;

    /// <summary>The next file may be begun, or all that was begun is finished.</summary>
    public bool IsDone { get; private set; } = true;

    /// <summary>The last step did nothing: what was asked for is not applied yet.</summary>
    public bool IsWaiting { get; private set; }

    /// <summary>Why the kernel refused, or that there was no room, when that ended it.</summary>
    public Errno Refusal => store.Refusal;

    /// <inheritdoc cref="PackStore.Packed"/>
    public ulong Packed => store.Packed;

    /// <inheritdoc cref="PackStore.PackedInto"/>
    public ulong PackedInto => store.PackedInto;

    /// <summary>Packs one more file; some of it may wait for the next one, or for <see cref="Finish"/>.</summary>
    public void Begin(ulong ino)
    {
        store.Begin();
        (_ino, _at, _misses, _hasShared) = (ino, 0, 0, false);
        (IsDone, IsWaiting) = (false, false);
        _step = Look;
    }

    /// <summary>Packs what waits, and has the kernel map all that was packed.</summary>
    public void Finish()
    {
        store.Begin();
        (IsDone, IsWaiting) = (false, false);
        PackShared(() => Write(_rests, MarkAll, isFlushing: true));
    }

    /// <summary>Does the next step.</summary>
    /// <exception cref="StorageException">The device failed: the files stay what they are.</exception>
    public void Advance()
    {
        if (!IsDone)
        {
            IsWaiting = false;
            _step();
        }
    }

    private void Look()
    {
        PackCandidate? file = engine.LookForPack(_ino);
        if (file is null || file.IsPacked)
        {
            IsDone = true;
            return;
        }

        _file = file;
        _step = Gather;
    }

    /// <summary>The next blocks of the file that lie together.</summary>
    private void Gather()
    {
        _step = Gather;
        ulong end = (_file.Size + LakeFormat.BlockSize - 1) / LakeFormat.BlockSize;
        if (_at >= end || _misses == MissesMost || engine.LookForSeal(_ino, _at, LakeFormat.PackBlocks) is not { } view || view.FileBlock >= end)
        {
            EndFile();
            return;
        }

        SealPiece? piece = view.Pieces.FirstOrDefault(p => p.FileEnd > _at && p.FileBlock < end && p is { IsWritten: true, IsChecked: true } && p.Extent.IsPlain);
        if (piece is null)
        {
            _at = view.FileBlock + view.Blocks;
        }
        else if (piece.IsShared)
        {
            Defer(piece.Extent);
        }
        else
        {
            Take(view, piece.Extent.Slice(piece.FileBlock, Math.Min(piece.FileEnd, end)));
        }
    }

    /// <summary>What others have, too, waits until it is known who.</summary>
    private void Defer(in Extent run)
    {
        if (_windows.IsFull)
        {
            PackShared(Gather);
            return;
        }

        _windows.Add(new SharedWindow(run.PhysBlock, run.Blocks));
        _hasShared = true;
        _at = run.FileEnd;
    }

    private void Take(SealView view, in Extent run)
    {
        if (run.Blocks == LakeFormat.PackBlocks)
        {
            Read(view, run, _whole);
            Write(_whole, Gather);
        }
        else if (run.Blocks > _rests.Room)
        {
            Write(_rests, Gather); // and then this
        }
        else
        {
            Read(view, run, _rests);
        }
    }

    private void Read(SealView view, in Extent run, PackBatch batch)
    {
        Span<byte> into = batch.Next(run.Blocks);
        if (reader.TryRead(run, into))
        {
            ulong size = _file.Size - (run.FileBlock * LakeFormat.BlockSize);
            into[(int)Math.Min(size, (ulong)into.Length)..].Clear(); // what is behind a file's end is nothing
            if (batch == _whole || store.IsWorthIt(into))
            {
                batch.Add(view, run.FileBlock, run.Blocks);
            }
        }

        _at = run.FileEnd;
    }

    private void EndFile()
    {
        (_hasShared ? _filesWithShared : _files).Add((_ino, _file.DataSeq));
        if (_filesWithShared.Count >= FilesMost)
        {
            PackShared(() => Write(_rests, MarkAll, isFlushing: true));
        }
        else if (_files.Count >= FilesMost)
        {
            Write(_rests, Mark, isFlushing: true);
        }
        else
        {
            IsDone = true;
        }
    }

    /// <summary>Finds out who has what is shared, and packs it for all of them.</summary>
    private void PackShared(Action after)
    {
        if (_windows.IsEmpty)
        {
            after();
            return;
        }

        _shared.Begin(_windows.Take());
        _step = () =>
        {
            if (!_shared.Search())
            {
                TakeShared(after);
            }
        };
    }

    private void TakeShared(Action after)
    {
        _step = () => TakeShared(after);
        if (_shared.IsDone)
        {
            after();
        }
        else if (_shared.NextBlocks > _rests.Room)
        {
            Write(_rests, () => TakeShared(after));
        }
        else
        {
            _shared.Take(_rests);
        }
    }

    private void Write(PackBatch batch, Action after, bool isFlushing = false)
    {
        (_batch, _after, _isFlushing) = (batch, after, isFlushing);
        _step = WriteBatch;
    }

    private void WriteBatch()
    {
        if (_batch.Blocks > 0)
        {
            bool isWritten = store.TryWrite(_batch);
            _misses = isWritten || _batch == _rests ? 0 : _misses + 1;
            _batch.Clear();
        }

        if (Refusal != Errno.None || store.IsFull || _isFlushing)
        {
            store.BeginAsking();
            _step = Store;
        }
        else
        {
            _step = _after;
        }
    }

    private void Store()
    {
        bool goesOn = store.Advance(out bool isWaiting);
        IsWaiting = isWaiting;
        if (!goesOn)
        {
            _step = Refusal == Errno.None ? _after : Leave;
        }
    }

    /// <summary>Files of which nothing was refused are not looked at again.</summary>
    private void Mark()
    {
        _step = Mark;
        if (_files.Count == 0)
        {
            IsDone = true;
            return;
        }

        (ulong ino, ulong dataSeq) = _files[^1];
        _files.RemoveAt(_files.Count - 1);
        if (!store.TakeRefused(ino))
        {
            engine.MarkPacked(ino, dataSeq);
        }
    }

    private void MarkAll()
    {
        _files.AddRange(_filesWithShared);
        _filesWithShared.Clear();
        Mark();
    }

    private void Leave()
    {
        _windows.Take();
        _whole.Clear();
        _rests.Clear();
        _files.Clear();
        _filesWithShared.Clear();
        IsDone = true;
    }
}
