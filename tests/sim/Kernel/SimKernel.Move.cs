// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine;

namespace DeepLake.Sim;

/// <summary>
/// Files that are made of pieces of others, at other places and not by whole blocks. When the ingest has checked
/// both, the daemon's part is played here: it has them share the piece.
/// </summary>
internal sealed partial class SimKernel
{
    private const int PieceBlocksMost = 8;
    private const int PiecesMost = 12;

    private readonly List<Piece> _pieces = [];

    /// <summary>Files that have to be checked before a piece of theirs can be shared.</summary>
    public IEnumerable<ulong> FilesOfPieces => _pieces.SelectMany(p => new[] { p.SrcIno, p.DstIno });

    private readonly record struct Piece(ulong SrcIno, ulong SrcPos, ulong DstIno, ulong DstBlock, ulong Blocks);

    private void MoveOrShare(LakeEngine engine)
    {
        if (_pieces.Count > 0 && (_pieces.Count == PiecesMost || _random.Next(2) > 0))
        {
            for (int index = _pieces.Count - 1; index >= 0; index--)
            {
                SharePiece(index);
            }
        }
        else
        {
            WritePiece(engine);
        }
    }

    /// <summary>A program writes bytes that another file has, at some other place.</summary>
    private void WritePiece(LakeEngine engine)
    {
        if (IsFull || !TryFindRun(out ModelInode? source, out ulong first, out ulong run) || PickRegular() is not { } target || source == target)
        {
            return;
        }

        uint skipped = source.Blocks[first].IsPacked ? 0 : PickOffset(source.Blocks[first].Skew);
        ulong count = skipped == 0 ? run : run - 1;
        if (count == 0 || !TryTakeBlocks(engine, (int)count, out ulong phys))
        {
            return;
        }

        ulong pos = (first * LakeFormat.BlockSize) + skipped;
        ulong to = (ulong)_random.Next(100);
        var bytes = new byte[count][];
        for (ulong i = 0; i < count; i++)
        {
            bytes[i] = _tree.Reads(source, pos + (i * LakeFormat.BlockSize));
        }

        LakeTime time = _contents.Add(bytes);
        if (WriteData(phys, (int)count, to, time) is not { } crcs)
        {
            Discard(isConversion: false, phys, (int)count);
            return;
        }

        var intent = new IntentMap
        {
            Ino = target.Ino,
            FileBlock = to,
            PhysBlock = phys,
            Blocks = (uint)count,
            Flags = ExtentFlags.Crc,
            Size = ((to + count) * LakeFormat.BlockSize) + (ulong)_random.Next(2 * LakeFormat.BlockSize),
            Mtime = time,
            Ctime = time,
        };
        Record(intent, IntentOp.Map, crcs);
        WriteLateData(phys, (int)count, to, time);
        _pieces.Add(new Piece(source.Ino, pos, target.Ino, to, count));
    }

    /// <summary>Where within a block a piece begins: where blocks say what they hold, so that it matters; or so that skews add up to a block.</summary>
    private uint PickOffset(uint skew) => _random.Next(6) switch
    {
        0 => 0,
        1 => LakeFormat.BlockSize - skew - (skew == 0 ? 1u : 0u),
        2 => (uint)_random.Next(1, LakeFormat.BlockSize),
        _ => (uint)_random.Next(1, 40),
    };

    /// <summary>Checked blocks that lie together, and that nobody has written in place.</summary>
    private bool TryFindRun([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out ModelInode? source, out ulong first, out ulong run)
    {
        (source, first, run) = (null, 0, 0);
        for (int tries = 0; tries < 10 && _others.Count > 0 && source is null; tries++)
        {
            ModelInode inode = Pick(_others);
            bool wantsSkewed = tries < 5 && _random.Next(2) == 0;
            source = inode.IsRegular && inode.Nlink > 0 && inode.Blocks.Values.Any(b => b.IsChecked && (b.IsSkewed || !wantsSkewed)) ? inode : null;
        }

        if (source is null)
        {
            return false;
        }

        bool hasSkewed = source.Blocks.Values.Any(b => b.IsSkewed) && _random.Next(4) > 0;
        ulong[] blocks = [.. source.Blocks.Where(b => hasSkewed ? b.Value.IsSkewed : b.Value.IsChecked).Select(b => b.Key)];
        first = blocks[_random.Next(blocks.Length)];
        int most = _random.Next(2, PieceBlocksMost + 2);
        while (run < (ulong)most && (first + run + 1) * LakeFormat.BlockSize <= source.Size && IsRun(source, first, run + 1)
            && IsAsWritten(source.Blocks[first + run]))
        {
            run++;
        }

        return run > 0;
    }

    /// <summary>In a pack nothing lies on the device as it is, and only whole blocks can be shared.</summary>
    private static bool IsRun(ModelInode source, ulong first, ulong blocks) =>
        source.Blocks.TryGetValue(first, out ModelBlock begin) && begin.IsPacked
            ? source.Blocks.TryGetValue(first + blocks - 1, out ModelBlock last) && last.IsPacked
            : ModelTree.IsOneRun(source, first, blocks);

    private bool IsAsWritten(in ModelBlock block) =>
        VersionsAt(block.Base, ulong.MaxValue, isShared: false).Most == 0 && VersionsAt(block.Behind, ulong.MaxValue, isShared: false).Most == 0;

    private void SharePiece(int index)
    {
        Piece piece = _pieces[index];
        if (!IsStillThere(piece))
        {
            _pieces.RemoveAt(index);
            return;
        }

        var args = new ShareArgs
        {
            SrcIno = piece.SrcIno,
            SrcGeneration = _tree.Inodes[piece.SrcIno].Generation,
            DstIno = piece.DstIno,
            DstGeneration = _tree.Inodes[piece.DstIno].Generation,
            MapSeq = LastSeq,
            SrcPos = piece.SrcPos,
            DstBlock = piece.DstBlock,
            Blocks = piece.Blocks,
        };
        if (Share(ref args) == Platform.Errno.None && _random.Next(4) > 0)
        {
            _pieces.RemoveAt(index); // else perhaps once more, when they map the same already
        }
    }

    /// <summary>They are equal; the daemon would have read and compared them.</summary>
    private bool IsStillThere(in Piece piece)
    {
        if (!_tree.Inodes.TryGetValue(piece.SrcIno, out ModelInode? source) || !_tree.Inodes.TryGetValue(piece.DstIno, out ModelInode? target)
            || source.Nlink == 0 || target.Nlink == 0)
        {
            return false;
        }

        ulong last = (piece.SrcPos + (piece.Blocks * LakeFormat.BlockSize) - 1) / LakeFormat.BlockSize;
        for (ulong block = piece.SrcPos / LakeFormat.BlockSize; block <= last; block++)
        {
            if (!source.Blocks.TryGetValue(block, out ModelBlock value) || !IsAsWritten(value))
            {
                return false;
            }
        }

        return _tree.AreEqual(source, piece.SrcPos, target, piece.DstBlock, piece.Blocks);
    }
}
