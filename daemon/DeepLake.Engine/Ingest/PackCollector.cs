// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine.Scrub;
using DeepLake.Metadata.Tables;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine.Ingest;

/// <summary>
/// Rewrites packs that are hardly used any more: those of which files have fewer blocks than three quarters of what
/// the pack takes on the device. What they have goes into new packs, and with the last of it the old one is free. A
/// range of the device at a time, so that memory is bounded; each takes two walks over all maps, one when there is
/// nothing to do. A step at a time; it may stop after any of them.
/// </summary>
public sealed class PackCollector(IPackEngine engine, PackStore store, PieceReader reader)
{
    /// <summary>64 GiB of the device, counted in two bytes for each block.</summary>
    private const ulong RangeBlocks = 1ul << 24;

    private const int PacksMost = 1 << 16;

    // one block less: what cannot be compressed at all fits then, too
    private const uint BatchBlocks = LakeFormat.PackBlocks - 1;

    private readonly PackBatch _batch = new();
    private readonly List<PackUse> _uses = [];
    private Action _step = () => { };
    private byte[] _live = [];
    private byte[] _spans = [];
    private ulong[] _dead = [];
    private Region _data;
    private ulong _start;
    private ScrubPosition _walk;
    private int _use;
    private bool _isDryRun;

    public bool IsDone { get; private set; } = true;

    /// <summary>The last step did nothing: what was asked for is not applied yet.</summary>
    public bool IsWaiting { get; private set; }

    /// <inheritdoc cref="PackIngest.Refusal"/>
    public Errno Refusal => store.Refusal;

    /// <summary>Packs found since <see cref="Begin"/> that were to be rewritten, their device blocks, and the blocks of files in them.</summary>
    public (ulong Packs, ulong DeviceBlocks, ulong LiveBlocks) Found { get; private set; }

    /// <param name="isDryRun">Only finds them.</param>
    public void Begin(bool isDryRun)
    {
        store.Begin();
        store.ForgetRefused();
        _isDryRun = isDryRun;
        _data = engine.DataRegion;
        _start = _data.StartBlock;
        Found = default;
        (IsDone, IsWaiting) = (false, false);
        _step = BeginRange;
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

    private void BeginRange()
    {
        ulong end = _data.StartBlock + _data.Blocks;
        if (_start >= end)
        {
            (_live, _spans) = ([], []);
            IsDone = true;
            return;
        }

        ulong blocks = Math.Min(RangeBlocks, end - _start);
        (_live, _spans) = (new byte[blocks], new byte[blocks]);
        _walk = default;
        _step = Count;
    }

    private void Count()
    {
        _walk = engine.CountPacked(_walk, _start, _live, _spans);
        if (_walk.IsEnd)
        {
            Choose();
        }
    }

    private void Choose()
    {
        var dead = new List<ulong>();
        (ulong packs, ulong device, ulong live) = Found;
        for (int i = 0; i < _live.Length; i++)
        {
            if (_live[i] > 0 && _live[i] * 4 <= _spans[i] * 3)
            {
                (packs, device, live) = (packs + 1, device + _spans[i], live + _live[i]);
                if (dead.Count < PacksMost)
                {
                    dead.Add(_start + (ulong)i);
                }
            }
        }

        Found = (packs, device, live);
        _start += (ulong)_live.Length;
        _dead = [.. dead];
        _walk = default;
        _uses.Clear();
        _use = 0;
        _step = _dead.Length == 0 || _isDryRun ? BeginRange : Find;
    }

    private void Find()
    {
        _walk = engine.FindPackUses(_walk, _dead, _uses);
        if (_walk.IsEnd)
        {
            _uses.Sort((a, b) => a.Place != b.Place ? a.Place.CompareTo(b.Place) : a.Blocks.CompareTo(b.Blocks));
            _step = Take;
        }
    }

    /// <summary>What several files have of a pack is taken once, for all of them.</summary>
    private void Take()
    {
        if (_use == _uses.Count)
        {
            _step = () => Write(isLast: true);
            return;
        }

        PackUse first = _uses[_use];
        if (first.Blocks > BatchBlocks - _batch.Blocks && _batch.Blocks > 0)
        {
            _step = () => Write(isLast: false);
            return;
        }

        int end = _use;
        while (end < _uses.Count && _uses[end].Place == first.Place && _uses[end].Blocks == first.Blocks)
        {
            end++;
        }

        Take(CollectionsMarshal.AsSpan(_uses)[_use..end]);
        _use = end;
    }

    private void Take(ReadOnlySpan<PackUse> uses)
    {
        bool isRead = false;
        foreach (ref readonly PackUse use in uses)
        {
            SealView? view = engine.LookForSeal(use.Ino, use.FileBlock, use.Blocks);
            if (view is null || view.FileBlock != use.FileBlock || view.Pieces.Count != 1
                || view.Pieces[0].PhysBlock != use.Place || !view.Pieces[0].IsPacked || view.Pieces[0].Blocks != use.Blocks)
            {
                continue; // it has no name, or has changed
            }

            if (isRead)
            {
                _batch.AddSame(view, use.FileBlock, use.Blocks);
            }
            else if (reader.TryRead(view.Pieces[0].Extent, _batch.Next(use.Blocks)))
            {
                isRead = true;
                _batch.Add(view, use.FileBlock, use.Blocks);
            }
            else
            {
                return; // damaged: it stays where a read of it says so
            }
        }
    }

    private void Write(bool isLast)
    {
        if (_batch.Blocks > 0)
        {
            store.TryWrite(_batch, always: true);
            _batch.Clear();
        }

        if (Refusal != Errno.None || store.IsFull || isLast)
        {
            store.BeginAsking();
            _step = () => Store(isLast);
        }
        else
        {
            _step = Take;
        }
    }

    private void Store(bool isLast)
    {
        bool goesOn = store.Advance(out bool isWaiting);
        IsWaiting = isWaiting;
        if (goesOn)
        {
            return;
        }

        IsDone = Refusal != Errno.None;
        _step = isLast ? BeginRange : Take;
    }
}
