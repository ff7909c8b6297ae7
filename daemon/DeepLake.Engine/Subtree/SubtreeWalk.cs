// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine.Scrub;
using DeepLake.Engine.State;
using DeepLake.Metadata.Tables;
using DeepLake.Platform;

namespace DeepLake.Engine.Subtree;

/// <summary>
/// Adds up what a subtree holds, a part at a time, so that the engine serves others in between: the figures are
/// of the lake as it was while it was walked through, and exact of one that stays as it is. Of folders and of files
/// with several names it remembers a bit each, so that they count once; of shared blocks it counts the references
/// in a window of the device, and walks again for each further one (<see cref="SharedCounts"/>).
/// </summary>
public sealed class SubtreeWalk
{
    // Items of the tree that a part looks at, about.
    private const int LooksOfAPart = 1024;
    private const uint BlocksOfAStep = 1024;
    private const int EntryBytes = 4096;
    private const int DeepestMost = 1 << 16;

    private readonly ulong _root;
    private readonly SharedCounts _counts;
    private readonly BlockSet _seen = new();
    private readonly Stack<(ulong Dir, ulong Cookie)> _above = new();
    private readonly byte[] _entries = new byte[EntryBytes];
    private int _entryAt;
    private int _entryEnd;
    private (ulong Dir, ulong Cookie) _at;
    private ulong _mapOf; // the file whose map is being added up; 0: none
    private ulong _mapAt;
    private int _looks;
    private bool _isFurther;

    /// <param name="ino">A folder or a file.</param>
    public SubtreeWalk(ulong ino)
        : this(ino, SharedCounts.WindowBlocksMost)
    {
    }

    internal SubtreeWalk(ulong ino, ulong windowBlocks)
    {
        _root = ino;
        _counts = new SharedCounts(windowBlocks);
    }

    public SubtreeTotals Totals { get; } = new();

    /// <summary>Nothing has that number.</summary>
    public bool IsMissing { get; private set; }

    public bool IsDone { get; private set; }

    /// <summary>Times it has gone through all of it.</summary>
    public int Passes { get; private set; }

    /// <summary>Inodes looked at so far, in all passes.</summary>
    public ulong Visited { get; private set; }

    /// <summary>There are more folders in one another than it follows: what is deeper is not in the figures.</summary>
    public bool IsCut { get; private set; }

    internal void Advance(LakeState state)
    {
        if (Visited == 0 && !Enter(state, _root))
        {
            (IsMissing, IsDone) = (true, true);
        }

        for (_looks = LooksOfAPart; _looks > 0 && !IsDone; _looks--)
        {
            if (_mapOf != 0)
            {
                AddSomeOfMap(state);
            }
            else if (_at.Dir == 0)
            {
                EndPass(state);
            }
            else
            {
                NextEntry(state);
            }
        }
    }

    private void EndPass(LakeState state)
    {
        Passes++;
        if (!_counts.NextWindow())
        {
            IsDone = true;
            return;
        }

        _isFurther = true;
        _seen.Clear();
        IsDone = !Enter(state, _root); // deleted meanwhile
    }

    private void NextEntry(LakeState state)
    {
        if (_entryAt >= _entryEnd)
        {
            _entryAt = 0;
            _entryEnd = state.Directories.CopyEntries(_at.Dir, _at.Cookie, _entries, out _);
            if (_entryEnd == 0)
            {
                _at = _above.Count > 0 ? _above.Pop() : default;
                return;
            }
        }

        ReplyDirent entry = MemoryMarshal.Read<ReplyDirent>(_entries.AsSpan(_entryAt));
        _entryAt += entry.Len;
        _at.Cookie = entry.Cookie;
        Enter(state, entry.Ino);
    }

    /// <summary>Counts an inode, and goes into a folder or a map. False when there is none.</summary>
    private bool Enter(LakeState state, ulong ino)
    {
        if (!state.Inodes.TryGet(ino, out InodeRecord inode))
        {
            return false;
        }

        Visited++;
        bool isDirectory = FileType.IsDirectory(inode.Mode);
        if ((isDirectory || inode.Nlink > 1) && !_seen.Add(ino))
        {
            Totals.FurtherNames += _isFurther ? 0ul : 1ul;
            return true;
        }

        if (!_isFurther)
        {
            Count(inode);
        }

        if (FileType.IsRegular(inode.Mode) && inode.Blocks > 0)
        {
            (_mapOf, _mapAt) = (ino, 0);
        }
        else if (isDirectory)
        {
            Descend(ino);
        }

        return true;
    }

    private void Descend(ulong dir)
    {
        if (_above.Count >= DeepestMost)
        {
            IsCut = true;
            return;
        }

        if (_at.Dir != 0)
        {
            _above.Push(_at);
        }

        _at = (dir, 0);
        _entryAt = _entryEnd = 0;
    }

    private void Count(in InodeRecord inode)
    {
        bool isFile = FileType.IsRegular(inode.Mode);
        bool isDirectory = FileType.IsDirectory(inode.Mode);
        bool isSymlink = FileType.IsSymlink(inode.Mode);
        Totals.Files += isFile ? 1ul : 0ul;
        Totals.Directories += isDirectory ? 1ul : 0ul;
        Totals.Symlinks += isSymlink ? 1ul : 0ul;
        Totals.Specials += isFile || isDirectory || isSymlink ? 0ul : 1ul;
        Totals.LogicalBytes += isFile ? inode.Size : 0;
        Totals.MappedBlocks += isFile ? inode.Blocks : 0;
        Totals.AddToZone(inode.Zone, isFile ? inode.Size : 0, isFile ? inode.Blocks : 0);
    }

    private void AddSomeOfMap(LakeState state)
    {
        if (!state.Extents.TryGetAt(_mapOf, _mapAt, out Extent extent))
        {
            _mapOf = 0;
            return;
        }

        ulong from = Math.Max(extent.FileBlock, _mapAt);
        ulong end = Math.Min(extent.FileEnd, from + BlocksOfAStep);
        _mapAt = end;
        ulong blocks = end - from;
        // a skewed extent has one block of the device more than of the file: it comes with its end, as a whole pack does
        bool isLast = end == extent.FileEnd;
        ulong onDevice = extent.IsPacked ? (isLast ? extent.DeviceBlocks : 0) : blocks + (isLast ? extent.DeviceBlocks - extent.Blocks : 0);
        if (!_isFurther)
        {
            Totals.UnwrittenBlocks += extent.IsUnwritten ? blocks : 0;
            Totals.SealedBlocks += extent.IsSealed ? blocks : 0;
            Totals.CheckedBlocks += extent.IsChecked ? blocks : 0;
        }

        AddBlocks(state, extent.IsPacked ? extent.DeviceBlock : extent.PhysBlock + (from - extent.FileBlock), onDevice);
    }

    private void AddBlocks(LakeState state, ulong block, ulong blocks)
    {
        while (blocks > 0)
        {
            uint refs = 1;
            ulong piece = state.Counters.SharedBlocks == 0 ? blocks : state.Shared.NextPiece(block, blocks, out refs);
            (ulong stored, ulong exclusive) = _isFurther ? (0, 0) : (piece, piece);
            if (refs > 1)
            {
                _counts.Add(block, piece, refs, out stored, out exclusive);
            }

            _looks--;
            Totals.StoredBlocks += stored;
            Totals.ExclusiveBlocks += exclusive;
            block += piece;
            blocks -= piece;
        }
    }
}
