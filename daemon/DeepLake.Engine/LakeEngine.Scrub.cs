// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using DeepLake.Abi;
using DeepLake.Engine.Scrub;
using DeepLake.Metadata.Tables;
using DeepLake.Metadata.Tree;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine;

/// <summary>What the scrub wants to know, and who has a block; on the engine's thread, each call bounded.</summary>
public sealed partial class LakeEngine
{
    private const int InodesOfAScrub = 128;
    private const int PiecesOfAScrub = 1024;
    private const int PathBytesMost = 4096;

    /// <summary>The checked blocks from a position on, so many at most; fewer when there is much else to pass over.</summary>
    public ScrubView LookForScrub(ScrubPosition from, uint blocks)
    {
        var runs = new List<ScrubRun>();
        ScrubPosition next = Walk(from, piece =>
        {
            if (!piece.Extent.IsChecked)
            {
                return uint.MaxValue;
            }

            Extent extent = piece.Extent;
            uint count = extent.IsPacked && blocks > 0 ? extent.Blocks : Math.Min(extent.Blocks, blocks);
            if (count > 0)
            {
                bool isShared = (extent.Flags & ExtentFlags.Shared) != 0;
                runs.Add(new ScrubRun(
                    piece.Ino, extent.FileBlock, extent.DeviceBlock, count, isShared, extent.IsSkewed, extent.IsPacked ? extent.DeviceBlocks : 0));
            }

            blocks -= Math.Min(count, blocks);
            return count;
        });
        return new ScrubView(runs, next);
    }

    /// <summary>Whether a file has bytes of a block of the device at a place, and whether it is checked there.</summary>
    public ScrubPlace LookAtPlace(ulong ino, ulong fileBlock, ulong physBlock)
    {
        if (!_state.Inodes.TryGet(ino, out InodeRecord inode) || !FileType.IsRegular(inode.Mode)
            || !_requests.TryGetPiece(ino, fileBlock, out Extent piece) || piece.FileBlock != fileBlock
            || physBlock < piece.DeviceBlock || physBlock - piece.DeviceBlock >= DeviceBlocksOfOne(piece) || piece.IsUnwritten)
        {
            return new ScrubPlace(false, false, false, 0, AppliedSeq);
        }

        return new ScrubPlace(true, piece.IsChecked, (piece.Flags & ExtentFlags.Shared) != 0, Math.Max(inode.LastSeq, inode.DataSeq), AppliedSeq);
    }

    // of the device, that the first block of a file's piece refers to
    private static uint DeviceBlocksOfOne(in Extent piece) => piece.IsPacked ? piece.DeviceBlocks : piece.IsSkewed ? 2u : 1u;

    /// <summary>
    /// A part of the search for what maps any of some ranges of blocks, checked or not; where to go on with
    /// it. There is no map from blocks to files: all of them are looked through.
    /// </summary>
    public ScrubPosition FindHolders(ScrubPosition from, IReadOnlyList<(ulong PhysBlock, ulong Blocks)> ranges, List<ScrubRun> into) =>
        Walk(from, piece =>
        {
            Extent extent = piece.Extent;
            foreach ((ulong physBlock, ulong blocks) in ranges)
            {
                ulong first = Math.Max(physBlock, extent.DeviceBlock);
                ulong end = Math.Min(physBlock + blocks, extent.DeviceBlock + extent.DeviceBlocks);
                if (first < end && !extent.IsUnwritten)
                {
                    AddHolders(piece.Ino, extent, first, end, into);
                }
            }

            return uint.MaxValue;
        });

    private static void AddHolders(ulong ino, in Extent extent, ulong first, ulong end, List<ScrubRun> into)
    {
        bool isShared = (extent.Flags & ExtentFlags.Shared) != 0;
        if (extent.IsPlain)
        {
            into.Add(new ScrubRun(ino, extent.FileBlock + (first - extent.PhysBlock), first, (uint)(end - first), isShared));
            return;
        }

        for (ulong phys = first; phys < end; phys++)
        {
            if (extent.IsPacked)
            {
                into.Add(new ScrubRun(ino, extent.FileBlock, phys, extent.Blocks, isShared));
                continue;
            }

            (ulong file, ulong fileEnd) = extent.FileBlocksOf(phys);
            for (; file < fileEnd; file++)
            {
                into.Add(new ScrubRun(ino, file, phys, 1, isShared));
            }
        }
    }

    /// <summary>The paths of a file, from the lake's root, so many at most; none when it has no name any more.</summary>
    public IReadOnlyList<string> PathsOf(ulong ino, int most)
    {
        var paths = new List<string>();
        ulong cookie = 0;
        while (paths.Count < most && TryGetLink(ino, cookie, out ulong dir, out ulong at))
        {
            if (TryGetName(dir, at, ino, out byte[] name) && PathOf(dir) is { } above)
            {
                paths.Add($"{above}/{Encoding.UTF8.GetString(name)}");
            }

            if (at == ulong.MaxValue)
            {
                break;
            }

            cookie = at + 1;
        }

        return paths;
    }

    /// <summary>What was written down of the scrub last.</summary>
    public ScrubRecord LoadScrub() => _state.Scrub.TryGet(out ScrubItem item, out ScrubFinding[] findings) ? new ScrubRecord(item, findings) : ScrubRecord.None;

    /// <summary>
    /// Writes down how far the scrub is, which is durable with what is applied. False, and nothing is done,
    /// when nothing may be written or metadata has no room.
    /// </summary>
    public bool PutScrub(ScrubRecord record)
    {
        ScrubFinding[] findings = [.. record.Findings.Take(LakeFormat.ScrubFindingsMax)];
        int bytes = Unsafe.SizeOf<WalScrub>() + (findings.Length * Unsafe.SizeOf<ScrubFinding>());
        bool isServed = _checkpoints.Superblock.State == SuperblockState.Active; // nothing follows the clean mark
        if (!isServed || MetadataIsFull || !TryMakeRoom(bytes, grows: true))
        {
            return false;
        }

        byte[] entry = new byte[bytes];
        var head = new WalScrub
        {
            Header = new IntentHeader { Len = (uint)bytes, Op = IntentOp.WalScrub },
            Scrub = record.Item with { Findings = (uint)findings.Length },
        };
        MemoryMarshal.Write(entry, in head);
        MemoryMarshal.AsBytes(findings.AsSpan()).CopyTo(entry.AsSpan(Unsafe.SizeOf<WalScrub>()));
        _applier.Apply(entry);
        if (!Planted.Is(PlantedFault.ScrubNotWrittenDown))
        {
            Append(entry, 0);
        }

        return true;
    }

    /// <summary>
    /// Goes through the maps of all regular files from a position on, those without a name too, a bounded part
    /// of the way. Returns where to go on.
    /// </summary>
    /// <param name="from">The first block of all.</param>
    /// <param name="visit">Gets each piece, returns how many of its blocks it has taken; fewer than it has ends the part there.</param>
    private ScrubPosition Walk(ScrubPosition from, Func<(ulong Ino, Extent Extent), uint> visit)
    {
        int pieces = PiecesOfAScrub;
        (ulong ino, ulong at) = (from.Ino, from.FileBlock);
        for (int inodes = InodesOfAScrub; inodes > 0; inodes--)
        {
            if (ino == ulong.MaxValue || !_state.Inodes.TryNext(ino, out InodeRecord inode))
            {
                return ScrubPosition.End;
            }

            at = inode.Ino == ino ? at : 0;
            ino = inode.Ino;
            while (FileType.IsRegular(inode.Mode) && inode.Blocks > 0 && _requests.TryGetPiece(ino, at, out Extent piece))
            {
                uint taken = visit((ino, piece));
                at = taken < piece.Blocks ? piece.FileBlock + taken : piece.FileEnd;
                if (taken < piece.Blocks || --pieces == 0)
                {
                    return new ScrubPosition(ino, at);
                }
            }

            (ino, at) = (ino + 1, 0);
        }

        return new ScrubPosition(ino, at);
    }

    /// <summary>Of a directory, without a slash at its end; null when the way up does not lead to the root.</summary>
    private string? PathOf(ulong dir)
    {
        var names = new List<string>();
        int bytes = 0;
        while (dir != LakeFormat.RootIno)
        {
            if (!TryGetLink(dir, 0, out ulong above, out ulong cookie) || !TryGetName(above, cookie, dir, out byte[] name)
                || (bytes += name.Length + 1) > PathBytesMost)
            {
                return null;
            }

            names.Add("/" + Encoding.UTF8.GetString(name));
            dir = above;
        }

        names.Reverse();
        return string.Concat(names);
    }

    private bool TryGetLink(ulong ino, ulong fromCookie, out ulong dir, out ulong cookie)
    {
        (dir, cookie) = (0, 0);
        var key = new TreeKey(ino, (uint)ItemType.Parent, fromCookie);
        if (!_state.Tree.TryGetAtOrAfter(key, out TreeKey found, out ReadOnlySpan<byte> data)
            || found.Object != ino || found.Type != (uint)ItemType.Parent || data.Length != sizeof(ulong))
        {
            return false;
        }

        (dir, cookie) = (MemoryMarshal.Read<ulong>(data), found.Offset);
        return true;
    }

    private bool TryGetName(ulong dir, ulong cookie, ulong ino, out byte[] name)
    {
        name = [];
        int head = Unsafe.SizeOf<Dirent>();
        if (!_state.Tree.TryGet(new TreeKey(dir, (uint)ItemType.Dirent, cookie), out ReadOnlySpan<byte> data)
            || data.Length <= head || MemoryMarshal.Read<Dirent>(data).Ino != ino)
        {
            return false;
        }

        name = data[head..].ToArray();
        return true;
    }
}
