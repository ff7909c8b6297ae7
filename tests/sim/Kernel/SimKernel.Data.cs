// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Sim;

/// <summary>File data: written once into leased blocks, in place where nothing forbids it.</summary>
internal sealed partial class SimKernel
{
    private const ulong ShiftedEnd = 600;
    private readonly Queue<(ulong Ino, ulong Block, ulong Phys, ulong Seq)> _pending = new();
    private readonly Dictionary<ulong, List<BlockVersion>> _versions = [];

    /// <summary>
    /// What a block may hold when the lake is as of a record: at least what was there before it, at most
    /// the newest; of a shared block, which is not written, nothing newer than the record.
    /// </summary>
    public (ulong Least, ulong Most) VersionsAt(ulong contents, ulong seq, bool isShared)
    {
        (ulong least, ulong most) = (0, 0);
        foreach (BlockVersion version in _versions.GetValueOrDefault(contents) ?? [])
        {
            least = version.IsCertain && version.Seq < seq ? version.Number : least;
            most = !isShared || version.Seq < seq ? version.Number : most;
        }

        return (least, most);
    }

    /// <summary>Between two mounts: what was found. It is certain when the device holds nothing that a power cut may take.</summary>
    public void SetVersions(Dictionary<ulong, ulong> found, bool isCertain)
    {
        _versions.Clear();
        foreach ((ulong contents, ulong version) in found)
        {
            _versions.Add(contents, [new BlockVersion(0, version, isCertain)]);
        }
    }

    /// <summary>Asks for a file's map anew, as after its eviction: which blocks are shared.</summary>
    public void Reload(ModelInode inode, LakeEngine engine)
    {
        foreach ((ulong fileBlock, _, uint blocks, uint flags) in Lake.Extents(engine, inode.Ino))
        {
            for (ulong block = fileBlock; block < fileBlock + blocks; block++)
            {
                ModelBlock value = inode.Blocks[block] with { IsMarked = (flags & ExtentFlags.Shared) != 0 };
                if (!value.IsMarked && !value.IsUnwritten && _unsharedBy.GetValueOrDefault(value.Phys) > AckedSeq)
                {
                    throw new SimulationException(
                        $"block {value.Phys} is told to be unshared, by {_unsharedBy[value.Phys]}, which is not durable yet ({AckedSeq})");
                }

                inode.Blocks[block] = value;
            }
        }
    }

    private void Map(LakeEngine engine)
    {
        if (PickRegular() is not { } inode)
        {
            return;
        }

        int count = _random.Next(1, _mix.MaxMapBlocks + 1);
        ulong fileBlock = (ulong)_random.Next(100);
        uint flags = _random.Next(3) switch { 0 when !IsFull => ExtentFlags.Unwritten, 1 => 0, _ => ExtentFlags.Crc };
        ulong phys;
        bool isConversion = _random.Next(4) == 0 && TryFindUnwritten(inode, out fileBlock, out phys, out count);
        if (isConversion)
        {
            phys = inode.Blocks[fileBlock].Phys;
            flags = ExtentFlags.Crc;
        }
        else if (!TryTakeBlocks(engine, count, out phys))
        {
            return;
        }

        LakeTime now = Now;
        byte[]? crcs = (flags & ExtentFlags.Unwritten) != 0 ? [] : WriteData(phys, count, fileBlock, now);
        if (crcs is null)
        {
            Discard(isConversion, phys, count);
            return;
        }

        ulong size = (fileBlock + (ulong)count) * LakeFormat.BlockSize;
        for (int i = 0; isConversion && i < count; i++)
        {
            _convertedFrom.Add((LastSeq + 1, phys + (ulong)i));
        }

        var intent = new IntentMap
        {
            Ino = inode.Ino,
            FileBlock = fileBlock,
            PhysBlock = phys,
            Blocks = (uint)count,
            Flags = flags,
            Size = _random.Next(5) == 0 ? 0 : size,
            Mtime = now,
            Ctime = now,
        };
        Record(intent, IntentOp.Map, flags == ExtentFlags.Crc ? crcs : []);
        WriteLateData(phys, crcs.Length / 4, fileBlock, now);
    }

    /// <summary>A program writes a file that others have, too: the same bytes, at other places of the device.</summary>
    private void WriteCopy(LakeEngine engine)
    {
        if (IsFull || PickRegular() is not { } inode)
        {
            return;
        }

        uint contents = (uint)_random.Next((int)ModelTree.CopiedContents);
        var time = new LakeTime { Sec = 1, Nsec = contents };
        Record(new IntentSetattr { Ino = inode.Ino, Valid = AttrMask.Size }, IntentOp.Setattr);
        // each content has its own blocks, a hole and an end within a block
        ulong blocks = 4 + (5 * (ulong)contents);
        ulong size = (blocks * LakeFormat.BlockSize) - 100;
        for (ulong at = 0; at < blocks; at++)
        {
            if (at == 2)
            {
                continue;
            }

            if (!TryTakeBlocks(engine, 1, out ulong phys))
            {
                return; // it has come so far
            }

            if (WriteData(phys, 1, at, time) is not { } crcs)
            {
                Discard(isConversion: false, phys, 1);
                return;
            }

            var intent = new IntentMap
            {
                Ino = inode.Ino,
                FileBlock = at,
                PhysBlock = phys,
                Blocks = 1,
                Flags = ExtentFlags.Crc,
                Size = at == blocks - 1 ? size : (at + 1) * LakeFormat.BlockSize,
                Mtime = time,
                Ctime = time,
            };
            Record(intent, IntentOp.Map, crcs);
            WriteLateData(phys, 1, at, time);
        }
    }

    // Writeback that failed: the blocks are neither used nor used again.
    private void Discard(bool isConversion, ulong phys, int count)
    {
        for (int i = 0; !isConversion && i < count; i++)
        {
            _held.Add(phys + (ulong)i);
        }
    }

    /// <summary>The checksums of what was written for the next record; null when it failed.</summary>
    private byte[]? WriteData(ulong phys, int count, ulong fileBlock, LakeTime time)
    {
        uint[] crcs = new uint[count];
        for (int i = 0; i < count; i++)
        {
            byte[] block = _contents.Of(ModelTree.BaseOf(_tree.Boot, LastSeq + 1, fileBlock, time, i));
            crcs[i] = DataBlock.Crc(block);
            if (!Planted.Is(PlantedFault.MapBeforeItsData) && !TryWrite(block, phys + (ulong)i))
            {
                return null;
            }
        }

        return MemoryMarshal.AsBytes<uint>(crcs).ToArray();
    }

    private readonly Queue<(byte[] Sector, ulong Phys, ulong Seq)> _late = new();

    private void WriteLateData(ulong phys, int count, ulong fileBlock, LakeTime time)
    {
        if (!Planted.Is(PlantedFault.MapBeforeItsData))
        {
            return;
        }

        for (int i = 0; i < count; i++)
        {
            _late.Enqueue((_contents.Of(ModelTree.BaseOf(_tree.Boot, LastSeq, fileBlock, time, i)), phys + (ulong)i, LastSeq));
        }

        while (_late.TryPeek(out (byte[] Sector, ulong Phys, ulong Seq) first) && first.Seq + 20 < LastSeq)
        {
            TryWrite(_late.Dequeue().Sector, first.Phys);
        }
    }

    private bool TryWrite(byte[] bytes, ulong phys)
    {
        try
        {
            _data?.Write(bytes, (long)phys * LakeFormat.BlockSize);
            return true;
        }
        catch (StorageException failure) when (failure.Errno != Errno.ENODEV)
        {
            return false; // the program gets EIO
        }
    }

    /// <summary>A run of unwritten blocks that lie together.</summary>
    private bool TryFindUnwritten(ModelInode inode, out ulong fileBlock, out ulong phys, out int count)
    {
        (fileBlock, phys, count) = (0, 0, 0);
        int most = _random.Next(1, 9);
        foreach ((ulong block, ModelBlock value) in inode.Blocks)
        {
            if (count > 0 && (!value.IsUnwritten || block != fileBlock + (ulong)count || value.Phys != phys + (ulong)count || count == most))
            {
                break;
            }

            if (value.IsUnwritten)
            {
                (fileBlock, phys) = count == 0 ? (block, value.Phys) : (fileBlock, phys);
                count++;
            }
        }

        return count > 0;
    }

    /// <summary>What has a checksum gives it up first, durably.</summary>
    private void OverwriteInPlace()
    {
        if (PickRegular() is not { Blocks.Count: > 0 } inode)
        {
            return;
        }

        (ulong block, ModelBlock value) = inode.Blocks.ElementAt(_random.Next(inode.Blocks.Count));
        if (value.IsUnwritten || value.IsMarked || ModelTree.IsCopied(value.Base) || (value.IsSealed && !Planted.Is(PlantedFault.SealedBlocksWrittenInPlace)))
        {
            return;
        }

        ulong seq = 0;
        if (value.HasCrc)
        {
            var ranges = new BlockRange[_random.Next(1, 4)];
            ranges[0] = new BlockRange { Start = block, Count = (ulong)_random.Next(1, 4) };
            for (int i = 1; i < ranges.Length; i++)
            {
                ranges[i] = new BlockRange { Start = (ulong)_random.Next(130), Count = (ulong)_random.Next(1, 20) };
            }

            // what is sealed is not written in place, and not said to be
            ranges = [.. ranges.Where(r => !HasSealed(inode, r.Start, r.Start + r.Count))];
            if (ranges.Length == 0 || !(ranges[0].Start <= block && block < ranges[0].Start + ranges[0].Count))
            {
                return;
            }

            var intent = new IntentOverwrite { Ino = inode.Ino, Count = (uint)ranges.Length };
            Record(intent, IntentOp.Overwrite, MemoryMarshal.AsBytes<BlockRange>(ranges).ToArray());
            seq = LastSeq;
            WantedSeq = _random.Next(2) == 0 ? seq : WantedSeq;
        }

        _pending.Enqueue((inode.Ino, block, value.Phys, seq));
    }

    private void WriteInPlace()
    {
        while (_pending.TryPeek(out var write) && write.Seq <= AckedSeq)
        {
            _pending.Dequeue();
            if (!_tree.Inodes.TryGetValue(write.Ino, out ModelInode? inode) || !inode.Blocks.TryGetValue(write.Block, out ModelBlock value)
                || value.Phys != write.Phys || value.IsMarked || value.IsUnwritten || value.HasCrc || ModelTree.IsCopied(value.Base)
                || (value.IsSealed && !Planted.Is(PlantedFault.SealedBlocksWrittenInPlace)))
            {
                continue;
            }

            if (!_versions.TryGetValue(value.Base, out List<BlockVersion>? all))
            {
                _versions.Add(value.Base, all = []);
            }

            var version = new BlockVersion(LastSeq, all.Count == 0 ? 1 : all[^1].Number + 1, false);
            all.Add(version); // it may be there even if this fails
            if (TryWrite(DataBlock.Sector(value.Base, version.Number), value.Phys))
            {
                all[^1] = version with { IsCertain = true };
            }
        }
    }

    private void Clone()
    {
        if (IsFull || PickRegular() is not { } source || PickRegular() is not { } target)
        {
            return;
        }

        ulong count = (ulong)_random.Next(1, 60);
        ulong from = (ulong)_random.Next(100);
        ulong to = (ulong)_random.Next(100);
        if (source == target && from < to + count && to < from + count)
        {
            return;
        }

        var intent = new IntentClone
        {
            SrcIno = source.Ino,
            SrcBlock = from,
            DstIno = target.Ino,
            DstBlock = to,
            Blocks = count,
            Size = _random.Next(2) == 0 ? (to + count) * LakeFormat.BlockSize : 0,
            Mtime = Now,
            Ctime = Now,
        };
        Record(intent, IntentOp.Clone);
    }

    private void Punch()
    {
        if (PickRegular() is not { } inode)
        {
            return;
        }

        var intent = new IntentUnmap
        {
            Ino = inode.Ino,
            FileBlock = IsFull ? 0 : (ulong)_random.Next(130),
            Blocks = (ulong)_random.Next(1, 20),
            Mtime = Now,
            Ctime = Now,
        };
        Record(intent, IntentOp.Unmap);
    }

    /// <summary>Now and then a file with a skewed extent instead, and a place that is not at the ends of that.</summary>
    private ulong? PickWithinSkewed(ref ModelInode inode)
    {
        ModelInode[] files = [.. _tree.Inodes.Values.Where(i => i.Blocks.Values.Any(b => b.IsContinued))];
        if (files.Length == 0 || _random.Next(2) == 0)
        {
            return null;
        }

        inode = files[_random.Next(files.Length)];
        ulong[] blocks = [.. inode.Blocks.Where(b => b.Value.IsContinued).Select(b => b.Key)];
        return blocks[_random.Next(blocks.Length)];
    }

    /// <summary>Collapse or insert: what it moves to, itself apart, is a hole first.</summary>
    private void Shift()
    {
        if (IsFull || PickRegular() is not { } inode)
        {
            return;
        }

        ulong? within = PickWithinSkewed(ref inode);
        ulong distance = (ulong)_random.Next(1, 40);
        bool up = inode.Blocks.Keys.LastOrDefault() < ShiftedEnd && _random.Next(2) == 0;
        ulong from = Math.Max(within ?? (ulong)_random.Next(130), up ? 0 : distance);
        ulong end = from + (ulong)_random.Next(1, 120);
        (ulong holeFrom, ulong holeEnd) = up
            ? (Math.Max(end, from + distance), end + distance)
            : (from - distance, Math.Min(from, end - distance));
        Record(
            new IntentUnmap { Ino = inode.Ino, FileBlock = holeFrom, Blocks = holeEnd - holeFrom, Mtime = Now, Ctime = Now },
            IntentOp.Unmap);
        var intent = new IntentShift
        {
            Ino = inode.Ino,
            FileBlock = from,
            Blocks = end - from,
            Distance = distance,
            Flags = up ? LakeRing.ShiftUp : 0,
            Size = _random.Next(2) == 0 ? (ulong)_random.Next(1, 2_000_000) : 0,
            Mtime = Now,
            Ctime = Now,
        };
        Record(intent, IntentOp.Shift);
    }
}
