// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics.CodeAnalysis;
using DeepLake.Abi;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine.Ingest;

/// <summary>
/// Brings a range of a file from mutable to checked, a step at a time: sealed, read back, its checksums in
/// the table, checked. The steps are the caller's to time, and it may stop after any of them: what
/// there is then is true in itself. Keeps nothing that matters.
/// </summary>
/// <param name="look">
/// What maps the range as of now, on the engine's thread; null when there is nothing from that block on.
/// </param>
/// <param name="kernel">Who is asked.</param>
/// <param name="readBack">Reads and writes there.</param>
public sealed class RangeIngest(Func<ulong, ulong, uint, SealView?> look, ISealer kernel, ReadBack readBack)
{
    private const int TriesMost = 2;

    private ulong _ino;
    private ulong _fileBlock;
    private uint _blocks;
    private ulong _sealSeq;
    private int _tries;
    private int _checkedRuns;
    private SealView? _read;

    public IngestStage Stage { get; private set; } = IngestStage.Done;

    /// <summary>Why the kernel refused; EAGAIN when the range changed meanwhile.</summary>
    public Errno Refusal { get; private set; }

    /// <summary>Where to go on in the file afterwards.</summary>
    public ulong NextBlock { get; private set; }

    /// <summary>Some of the file was sealed earlier, and some has been written since.</summary>
    public bool IsRewritten { get; private set; }

    /// <summary>The newest intent that was asked for in the range.</summary>
    public ulong AskedSeq { get; private set; }

    public void Begin(ulong ino, ulong fileBlock, uint blocks)
    {
        (_ino, _fileBlock, _blocks) = (ino, fileBlock, blocks);
        Refusal = Errno.None;
        NextBlock = ulong.MaxValue;
        IsRewritten = false;
        AskedSeq = 0;
        _tries = 0;
        _read = null;
        Stage = IngestStage.Seal;
    }

    /// <summary>Does the next step; it may be the same one again afterwards.</summary>
    /// <exception cref="StorageException">The device failed: the range stays what it is.</exception>
    public void Advance()
    {
        Stage = Stage switch
        {
            IngestStage.Seal => Seal(),
            IngestStage.Wait => Wait(),
            IngestStage.Read => Read(),
            IngestStage.Check => Check(),
            _ => Stage,
        };
    }

    private IngestStage Seal()
    {
        if (look(_ino, _fileBlock, _blocks) is not { } view || view.MetadataIsFull)
        {
            return IngestStage.Done;
        }

        (_fileBlock, _blocks) = (view.FileBlock, view.Blocks);
        NextBlock = view.FileBlock + view.Blocks;
        if (!view.HasUnchecked)
        {
            return IngestStage.Done;
        }

        IsRewritten |= view.HasSealed && view.HasUnsealed;
        _sealSeq = 0;
        if (Planted.Is(PlantedFault.ReadBackBeforeTheSeal) && _read is null)
        {
            _read = view;
            return IngestStage.Read;
        }

        if (view.HasUnsealed)
        {
            SealArgs args = Args(view, view.FileBlock, view.Blocks);
            Refusal = kernel.Seal(ref args);
            _sealSeq = args.Seq;
            AskedSeq = args.Seq;
        }

        if (TriesAgain())
        {
            return IngestStage.Seal;
        }

        return Refusal == Errno.None ? IngestStage.Wait : IngestStage.Done;
    }

    /// <summary>Until the map has the seal in it.</summary>
    private IngestStage Wait()
    {
        SealView? now = look(_ino, _fileBlock, _blocks);
        if (now is null || now.FileBlock != _fileBlock || (now.AppliedSeq >= _sealSeq && now.HasUnsealed))
        {
            return Changed();
        }

        if (now.AppliedSeq < _sealSeq)
        {
            return IngestStage.Wait;
        }

        if (Planted.Is(PlantedFault.ReadBackBeforeTheSeal))
        {
            return IngestStage.Check;
        }

        _read = now;
        return IngestStage.Read;
    }

    private IngestStage Read()
    {
        readBack.Run(_read!);
        _checkedRuns = 0;
        if (readBack.Damaged.Count > 0 && !IsStillThere())
        {
            readBack.Dismiss();
            return Changed();
        }

        return Planted.Is(PlantedFault.ReadBackBeforeTheSeal) ? IngestStage.Seal : IngestStage.Check;
    }

    // No flush before it: the commit that makes CHECKED durable begins with one, and this was written by then.
    private IngestStage Check()
    {
        for (; _checkedRuns < readBack.Good.Count; _checkedRuns++)
        {
            (ulong fileBlock, ulong blocks) = readBack.Good[_checkedRuns];
            if (!IsStillThere(out SealView? now))
            {
                return Changed();
            }

            SealArgs args = Args(now, fileBlock, blocks);
            Refusal = kernel.Checked(ref args);
            AskedSeq = Math.Max(AskedSeq, args.Seq);
            if (TriesAgain())
            {
                return IngestStage.Check;
            }

            if (Refusal != Errno.None)
            {
                break;
            }
        }

        return IngestStage.Done;
    }

    // Blocks that the file has left may have been anybody's when they were read.
    private bool IsStillThere() => IsStillThere(out _);

    private bool IsStillThere([NotNullWhen(true)] out SealView? now)
    {
        now = look(_ino, _fileBlock, _blocks);
        return now is not null && now.FileBlock == _fileBlock && now.IsSealedWhere(_read!);
    }

    /// <summary>
    /// A kernel that had to load the inode takes it for changed up to then; what the next look shows is not
    /// older than that.
    /// </summary>
    private bool TriesAgain()
    {
        if (Refusal != Errno.EAGAIN || _tries == TriesMost)
        {
            return false;
        }

        _tries++;
        Refusal = Errno.None;
        return true;
    }

    private IngestStage Changed()
    {
        Refusal = Errno.EAGAIN;
        return IngestStage.Done;
    }

    private static SealArgs Args(SealView view, ulong fileBlock, ulong blocks) => new()
    {
        Ino = view.Ino,
        Generation = view.Generation,
        MapSeq = view.AppliedSeq,
        FileBlock = fileBlock,
        Blocks = blocks,
    };
}
