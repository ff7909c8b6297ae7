// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Client;
using DeepLake.Control;
using DeepLake.Engine.Ingest;
using DeepLake.Hash;
using DeepLake.Laked.Control;
using DeepLake.Metadata.Tables;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Laked.Import;

/// <summary>
/// Writes file data to leased blocks in large sequential writes; small files share one. The checksums, the
/// maps, and the final attributes of files whose data was still waiting, follow when the data is on the
/// device. Nobody else writes to these files, so all of it is sealed and checked from the beginning, and
/// they get their identities.
/// </summary>
internal sealed class DataWriter(LakeClient lake, IBlockDevice device, ChecksumTable table) : IDisposable
{
    private const int StagingBlocks = 256;
    private const int BlockBytes = LakeFormat.BlockSize;
    private const ulong BlocksPerLease = 16384;
    private const int WritesPerCommit = 8;

    private readonly AlignedBuffer _staging = new(StagingBlocks * BlockBytes);
    private readonly uint[] _sums = new uint[StagingBlocks];
    private readonly Queue<BlockRange> _leased = new();
    private readonly List<PendingMap> _maps = [];
    private readonly List<PendingFinish> _finishes = [];
    private BlockRange _run;
    private ulong _stagingStart;
    private int _usedBlocks;
    private int _uncommittedWrites;
    private readonly Blake3Hasher _content = new();
    private ulong _contentIno;
    private ulong _contentBytes;
    private ulong _contentBlocks;

    /// <summary>Bytes of files written so far.</summary>
    internal ulong WrittenBytes { get; private set; }

    /// <summary>Writes a range of a file, from a block boundary on; how many bytes the content had.</summary>
    internal ulong Write(ulong ino, ulong offset, ulong length, FillBuffer fill)
    {
        ulong done = 0;
        while (done < length)
        {
            Span<byte> room = Room();
            int want = (int)Math.Min((ulong)room.Length, length - done);
            int got = FillWhole(room[..want], fill);
            if (got == 0)
            {
                break;
            }
            int blocks = (got + BlockBytes - 1) / BlockBytes;
            Hash(ino, offset + done, room[..got], blocks);
            room[got..(blocks * BlockBytes)].Clear();
            _maps.Add(new PendingMap(ino, (offset + done) / BlockBytes, _usedBlocks, blocks, offset + done + (ulong)got));
            _usedBlocks += blocks;
            _run.Start += (ulong)blocks;
            _run.Count -= (ulong)blocks;
            done += (ulong)got;
            if (got < want)
            {
                break;
            }
        }
        WrittenBytes += done;
        return done;
    }

    /// <summary>Size and times of a file, once its data has its maps.</summary>
    internal void Finish(ulong ino, NodeAttributes node)
    {
        var finish = new PendingFinish(ino, node, IdentityOf(ino, node));
        if (_maps.Count > 0 && _maps[^1].Ino == ino)
        {
            _finishes.Add(finish);
        }
        else
        {
            Apply(finish);
        }
    }

    internal void Flush()
    {
        if (_usedBlocks > 0)
        {
            device.Write(_staging.Slice(0, _usedBlocks * BlockBytes), (long)_stagingStart * BlockBytes);
            StoreSums();
            foreach (PendingMap map in _maps)
            {
                SendMaps(map);
            }
        }
        _maps.Clear();
        _usedBlocks = 0;
        _stagingStart = _run.Start;
        foreach (PendingFinish finish in _finishes)
        {
            Apply(finish);
        }
        _finishes.Clear();
        // An import that is killed goes on from here.
        if (++_uncommittedWrites >= WritesPerCommit)
        {
            _uncommittedWrites = 0;
            lake.Commit();
        }
    }

    /// <summary>Gives back what was leased and not written; nothing may be staged.</summary>
    internal void ReturnLeases()
    {
        lake.ReturnBlocks([.. _leased.Append(_run).Where(range => range.Count > 0)]);
        _leased.Clear();
        _run = default;
    }

    public void Dispose() => _staging.Dispose();

    // What is staged goes to one run of the device.
    private Span<byte> Room()
    {
        if (_usedBlocks == StagingBlocks)
        {
            Flush();
        }
        if (_run.Count == 0)
        {
            Flush();
            NextRun();
        }
        int blocks = (int)Math.Min((ulong)(StagingBlocks - _usedBlocks), _run.Count);
        return _staging.Slice(_usedBlocks * BlockBytes, blocks * BlockBytes);
    }

    private void NextRun()
    {
        if (_leased.Count == 0)
        {
            foreach (BlockRange range in lake.LeaseBlocks(BlocksPerLease, _run.Start))
            {
                _leased.Enqueue(range);
            }
        }
        if (!_leased.TryDequeue(out _run))
        {
            throw ImportRefusal.Full();
        }
        _stagingStart = _run.Start;
    }

    private void SendMaps(PendingMap map)
    {
        for (int at = 0; at < map.Blocks; at += (int)LakeRing.MapBlocksMax)
        {
            int count = Math.Min((int)LakeRing.MapBlocksMax, map.Blocks - at);
            ulong fileBlock = map.FileBlock + (ulong)at;
            lake.Map(
                map.Ino,
                fileBlock,
                _stagingStart + (ulong)(map.StagingBlock + at),
                _sums.AsSpan(map.StagingBlock + at, count),
                Math.Min(map.EndBytes, (fileBlock + (ulong)count) * BlockBytes));
        }
        lake.SealChecked(map.Ino, map.FileBlock, (uint)map.Blocks);
    }

    // Before any intent says that the blocks are checked.
    private void StoreSums()
    {
        for (int i = 0; i < _usedBlocks; i++)
        {
            _sums[i] = Crc32C.Compute(_staging.Slice(i * BlockBytes, BlockBytes));
        }
        table.Stage(_stagingStart, _sums.AsSpan(0, _usedBlocks));
        table.Store();
    }

    private void Apply(PendingFinish finish)
    {
        uint valid = AttrMask.Atime | AttrMask.Mtime | (finish.Node.IsRegular ? AttrMask.Size : 0);
        lake.SetAttributes(finish.Ino, valid, finish.Node);
        if (finish.Identity is { } id)
        {
            lake.Identify(finish.Ino, id);
        }
    }

    // One file after the other, each from its front to its end.
    private void Hash(ulong ino, ulong offset, ReadOnlySpan<byte> bytes, int blocks)
    {
        if (ino != _contentIno)
        {
            _content.Reset();
            (_contentIno, _contentBytes, _contentBlocks) = (ino, 0, 0);
        }
        _contentBlocks += (ulong)blocks;
        if (offset < _contentBytes || !ObjectTable.IsWorthIt(offset + (ulong)bytes.Length, _contentBlocks))
        {
            _contentBytes = ulong.MaxValue; // none: out of order, or a hole without end
            return;
        }
        _content.AppendZeros((long)(offset - _contentBytes));
        _content.Append(bytes);
        _contentBytes = offset + (ulong)bytes.Length;
    }

    private Blake3Hash? IdentityOf(ulong ino, NodeAttributes node)
    {
        if (ino != _contentIno || _contentBytes > node.SizeBytes || !ObjectTable.IsWorthIt(node.SizeBytes, _contentBlocks))
        {
            return null;
        }
        _content.AppendZeros((long)(node.SizeBytes - _contentBytes));
        _contentIno = 0;
        return _content.Finish();
    }

    private static int FillWhole(Span<byte> buffer, FillBuffer fill)
    {
        int total = 0;
        while (total < buffer.Length)
        {
            int got = fill(buffer[total..]);
            if (got == 0)
            {
                break;
            }
            total += got;
        }
        return total;
    }

    private readonly record struct PendingMap(ulong Ino, ulong FileBlock, int StagingBlock, int Blocks, ulong EndBytes);

    private readonly record struct PendingFinish(ulong Ino, NodeAttributes Node, Blake3Hash? Identity);
}
