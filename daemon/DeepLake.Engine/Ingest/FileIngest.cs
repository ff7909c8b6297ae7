// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Hash;
using DeepLake.Metadata.Tables;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine.Ingest;

/// <summary>
/// Brings a whole file from mutable to checked, range after range, gives it its identity, and has it share
/// the blocks of a file that is equal, or those of others that have a piece of it. A step at a time; the caller may stop after any of them, and what
/// there is then is true in itself. Keeps nothing that matters.
/// </summary>
/// <param name="engine">Who knows the file.</param>
/// <param name="kernel">Who is asked.</param>
/// <param name="readBack">Reads and writes there.</param>
/// <param name="pieces">Finds equal pieces; null: only whole files are shared.</param>
public sealed class FileIngest(IIngestEngine engine, ISealer kernel, ReadBack readBack, PieceIngest? pieces = null)
{
    private readonly RangeIngest _range = new(engine.LookForSeal, kernel, readBack);
    private readonly ShareIngest _share = new(engine, kernel);
    private ContentHasher? _content;
    private Action _step = () => { };
    private ulong _ino;
    private uint _rangeBlocks;
    private ContentView? _first;
    private ulong _at;
    private ulong _askedSeq;
    private ulong _written;

    public bool IsDone { get; private set; } = true;

    /// <summary>The last step did nothing: what was asked for is not applied yet.</summary>
    public bool IsWaiting { get; private set; }

    /// <summary>Why the kernel refused; EAGAIN when the file changed meanwhile.</summary>
    public Errno Refusal { get; private set; }

    /// <summary>Some of the file was sealed earlier, and some has been written since.</summary>
    public bool IsRewritten { get; private set; }

    /// <summary>Told of file blocks whose data is not what was written.</summary>
    public Action<IReadOnlyList<ulong>>? Damaged { get; init; }

    /// <summary>Looked at in what takes long.</summary>
    public Func<bool>? IsStopped { get; init; }

    private ContentHasher Content => _content ??= new ContentHasher { IsStopped = IsStopped, Anchors = pieces?.Lister };

    /// <param name="ino">Which file.</param>
    /// <param name="rangeBlocks">How much of it is sealed, read and checked together.</param>
    public void Begin(ulong ino, uint rangeBlocks)
    {
        (_ino, _rangeBlocks) = (ino, rangeBlocks);
        (_at, _askedSeq, _written) = (0, 0, 0);
        (IsDone, IsWaiting, IsRewritten, Refusal) = (false, false, false, Errno.None);
        readBack.Content = null;
        _step = Look;
    }

    /// <summary>Leaves the file as it is.</summary>
    public void Stop() => End(Errno.None);

    /// <summary>Does the next step; it may be the same one again afterwards.</summary>
    /// <exception cref="StorageException">The device failed: the file stays what it is.</exception>
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
        _first = engine.LookAtContent(_ino, 0);
        if (_first is null)
        {
            End(Errno.ENOENT);
            return;
        }

        if (!_first.HasObject && ObjectTable.IsWorthIt(_first.Size, _first.MappedBlocks))
        {
            Content.Begin(_first.Size);
            readBack.Content = Content;
        }

        _range.Begin(_ino, 0, _rangeBlocks);
        _step = Range;
    }

    private void Range()
    {
        if (_range.Stage != IngestStage.Done)
        {
            IngestStage stage = _range.Stage;
            _range.Advance();
            IsWaiting = stage == IngestStage.Wait && _range.Stage == stage;
            if (stage == IngestStage.Read)
            {
                Tell();
            }

            return;
        }

        IsRewritten |= _range.IsRewritten;
        _askedSeq = Math.Max(_askedSeq, _range.AskedSeq);
        if (_range.Refusal != Errno.None)
        {
            End(_range.Refusal);
        }
        else if (_range.NextBlock != ulong.MaxValue)
        {
            _range.Begin(_ino, _range.NextBlock, _rangeBlocks);
        }
        else
        {
            _step = Settle;
        }
    }

    /// <summary>
    /// Whether all that is written is checked, a part of the map after the other; it stays so while the data
    /// seq does. How many blocks that are tells whether all of them were read on the way.
    /// </summary>
    private void Settle()
    {
        ContentView? now = engine.LookAtContent(_ino, _at);
        bool isEarly = Planted.Is(PlantedFault.ObjectBeforeAllIsChecked);
        if (now is null)
        {
            End(Errno.ENOENT);
        }
        else if (now.AppliedSeq < _askedSeq && !isEarly)
        {
            IsWaiting = true;
        }
        else if (now.HasObject)
        {
            ShareWith(engine.FindEqual(_ino));
        }
        else if (!ObjectTable.IsWorthIt(now.Size, now.MappedBlocks) || !now.IsChecked)
        {
            End(Errno.None); // damaged, or metadata has no room
        }
        else if (HasChanged(now))
        {
            End(Errno.EAGAIN);
        }
        else
        {
            _written += now.WrittenBlocks;
            _at = now.NextBlock;
            if (_at == ulong.MaxValue)
            {
                Identify();
            }
        }
    }

    private void Identify()
    {
        if (readBack.Content is not null && Content.TryFinish(_written, out Blake3Hash id))
        {
            Put(id);
            return;
        }

        Content.Begin(_first!.Size);
        _at = 0;
        _step = Reread;
    }

    /// <summary>Some of it had been checked before. Now all of it is, and what is read is compared with the table.</summary>
    private void Reread()
    {
        readBack.Content = null;
        SealView? view = engine.LookForSeal(_ino, _at, _rangeBlocks);
        if (view is null || view.FileBlock * LakeFormat.BlockSize >= _first!.Size)
        {
            if (Content.TryFinish(_written, out Blake3Hash id))
            {
                Put(id);
            }
            else
            {
                End(Errno.EAGAIN);
            }

            return;
        }

        readBack.Reread(view, Content);
        _at = view.FileBlock + view.Blocks;
        if (readBack.Damaged.Count > 0)
        {
            // blocks that the file has left may be anybody's by now
            SealView? now = engine.LookForSeal(_ino, view.FileBlock, view.Blocks);
            bool isStill = now is not null && now.FileBlock == view.FileBlock && now.IsSealedWhere(view);
            if (isStill)
            {
                Tell();
            }

            End(isStill ? Errno.None : Errno.EAGAIN);
        }
    }

    private void Put(Blake3Hash id)
    {
        // before this file is the one that is found
        EqualFiles? equal = engine.FindEqual(_ino, _first!.Size, id);
        if (!engine.PutObject(_ino, _first.DataSeq, _first.Size, id))
        {
            End(Errno.None); // it changed, and its turn comes again; or metadata has no room
            return;
        }

        if (equal is null && pieces is not null && PieceIngest.IsWorthIt(_first.Size))
        {
            readBack.Content = null;
            pieces.Begin(_ino, _first.DataSeq);
            _step = Pieces;
            return;
        }

        ShareWith(equal);
    }

    private void Pieces()
    {
        pieces!.Advance();
        IsWaiting = pieces.IsWaiting;
        if (pieces.IsDone)
        {
            End(pieces.Refusal);
        }
    }

    private void ShareWith(EqualFiles? equal)
    {
        if (equal is null)
        {
            End(Errno.None);
            return;
        }

        readBack.Content = null;
        _share.Begin(equal.Value);
        _step = Share;
    }

    private void Share()
    {
        _share.Advance();
        IsWaiting = _share.IsWaiting;
        if (_share.IsDone)
        {
            End(_share.Refusal);
        }
    }

    private bool HasChanged(ContentView now) => now.DataSeq != _first!.DataSeq || now.Size != _first.Size;

    private void Tell()
    {
        if (readBack.Damaged.Count > 0)
        {
            Damaged?.Invoke(readBack.Damaged);
        }
    }

    private void End(Errno refusal)
    {
        readBack.Content = null;
        Refusal = refusal;
        IsDone = true;
    }
}
