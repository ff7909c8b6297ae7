// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Platform;

namespace DeepLake.Engine.Ingest;

/// <summary>
/// Has a file map the blocks of another one that is equal, range after range from the front, a step at a time.
/// It may stop after any of them: each range is right by itself.
/// </summary>
public sealed class ShareIngest(IIngestEngine engine, ISharer kernel)
{
    private const int TriesMost = 2;

    private EqualFiles _files;
    private ulong _at;
    private ulong _askedSeq;
    private int _tries;

    public bool IsDone { get; private set; } = true;

    /// <summary>The last step did nothing: what was asked for is not applied yet.</summary>
    public bool IsWaiting { get; private set; }

    /// <summary>Why the kernel refused.</summary>
    public Errno Refusal { get; private set; }

    public void Begin(EqualFiles files)
    {
        _files = files;
        (_at, _askedSeq, _tries) = (0, 0, 0);
        (IsDone, IsWaiting, Refusal) = (false, false, Errno.None);
    }

    public void Advance()
    {
        IsWaiting = engine.AppliedSeq < _askedSeq;
        if (IsDone || IsWaiting)
        {
            return;
        }

        ShareView? view = engine.LookForShare(_files.Source, _files.Target, _at, LakeRing.CloneBlocksMax);
        if (view is null || view.MetadataIsFull)
        {
            IsDone = true;
        }
        else if (view.IsShared)
        {
            Next(view);
        }
        else
        {
            Ask(view);
        }
    }

    private void Ask(ShareView view)
    {
        var args = new ShareArgs
        {
            SrcIno = _files.Source,
            DstIno = _files.Target,
            SrcGeneration = view.SourceGeneration,
            DstGeneration = view.TargetGeneration,
            MapSeq = view.AppliedSeq,
            SrcPos = view.FileBlock * LakeFormat.BlockSize,
            DstBlock = view.FileBlock,
            Blocks = view.Blocks,
        };
        Errno answer = kernel.Share(ref args);
        if (answer == Errno.None)
        {
            _askedSeq = args.Seq;
            Next(view);
        }
        else if (answer != Errno.EAGAIN || _tries++ == TriesMost)
        {
            Refusal = answer;
            IsDone = true;
        }
    }

    private void Next(ShareView view)
    {
        _at = view.FileBlock + view.Blocks;
        _tries = 0;
    }
}
