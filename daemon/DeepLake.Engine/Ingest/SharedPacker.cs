// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine.Scrub;
using DeepLake.Metadata.Tables;
using DeepLake.Storage;

namespace DeepLake.Engine.Ingest;

/// <summary>
/// Fills packs with blocks that several extents refer to: for each window it has found out what does, and a part of
/// the pack is asked for in the name of each of them. A window that somebody has in part only, or otherwise than
/// checked and one for one, is left where it is: its blocks would not become free.
/// </summary>
internal sealed class SharedPacker(IPackEngine engine, PackStore store, PieceReader reader)
{
    /// <summary>With more owners a window is left where it is.</summary>
    private const int UsesMost = 1024;

    private readonly List<WindowUse> _uses = [];
    private SharedWindow[] _windows = [];
    private ScrubPosition _searchedTo = ScrubPosition.End;
    private int _use;

    /// <summary>Nothing is left to be taken.</summary>
    public bool IsDone => _searchedTo.IsEnd && _use == _uses.Count;

    public void Begin(SharedWindow[] windows)
    {
        _windows = windows;
        _uses.Clear();
        (_searchedTo, _use) = (default, 0);
    }

    /// <summary>Goes on with the search; false when it has come to its end.</summary>
    public bool Search()
    {
        if (_searchedTo.IsEnd)
        {
            return false;
        }

        _searchedTo = engine.FindUses(_searchedTo, _windows, _uses);
        if (_searchedTo.IsEnd)
        {
            _uses.Sort((a, b) => a.Window != b.Window ? a.Window.CompareTo(b.Window) : a.Ino != b.Ino ? a.Ino.CompareTo(b.Ino) : a.FileBlock.CompareTo(b.FileBlock));
        }

        return true;
    }

    /// <summary>How many blocks the next window has; 0 when there is none.</summary>
    public uint NextBlocks => _use < _uses.Count ? _windows[_uses[_use].Window].Blocks : 0;

    /// <summary>Takes the next window into a batch that has room for it.</summary>
    /// <exception cref="StorageException">The device failed.</exception>
    public void Take(PackBatch batch)
    {
        int window = _uses[_use].Window;
        int end = _use;
        while (end < _uses.Count && _uses[end].Window == window)
        {
            end++;
        }

        ReadOnlySpan<WindowUse> uses = CollectionsMarshal.AsSpan(_uses)[_use..end];
        _use = end;
        bool isWhole = uses.Length <= UsesMost;
        foreach (ref readonly WindowUse use in uses)
        {
            isWhole &= use.IsWhole;
        }

        if (isWhole)
        {
            Take(_windows[window], uses, batch);
        }
    }

    private void Take(SharedWindow window, ReadOnlySpan<WindowUse> uses, PackBatch batch)
    {
        bool isRead = false;
        foreach (ref readonly WindowUse use in uses)
        {
            // one without a name, or that has changed, stays as it is; then its blocks do
            if (engine.LookForSeal(use.Ino, use.FileBlock, window.Blocks) is not { } view || !IsThere(view, use, window))
            {
                continue;
            }

            if (isRead)
            {
                batch.AddSame(view, use.FileBlock, window.Blocks);
            }
            else if (reader.TryRead(PlaceOf(window, use.FileBlock), batch.Next(window.Blocks)))
            {
                if (!store.IsWorthIt(batch.Next(window.Blocks)))
                {
                    return;
                }

                isRead = true;
                batch.Add(view, use.FileBlock, window.Blocks);
            }
            else
            {
                return;
            }
        }
    }

    private static Extent PlaceOf(SharedWindow window, ulong fileBlock) =>
        new(fileBlock, window.Start, window.Blocks, ExtentFlags.Sealed | ExtentFlags.Checked, 0);

    private static bool IsThere(SealView view, in WindowUse use, SharedWindow window) =>
        view.FileBlock == use.FileBlock && view.Pieces.Count == 1 && view.Pieces[0] is { IsChecked: true, IsPacked: false, IsSkewed: false } piece
        && piece.PhysBlock == window.Start && piece.Blocks == window.Blocks;
}
