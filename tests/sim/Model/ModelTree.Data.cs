// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;

namespace DeepLake.Sim;

/// <summary>Maps of files.</summary>
internal sealed partial class ModelTree
{
    private void Map(ReadOnlySpan<byte> record)
    {
        var intent = Read<IntentMap>(record);
        ReadOnlySpan<byte> rest = Tail<IntentMap>(record);
        bool hasCrc = (intent.Flags & ExtentFlags.Crc) != 0;
        ReadOnlySpan<uint> crcs = hasCrc ? MemoryMarshal.Cast<byte, uint>(rest[..((int)intent.Blocks * 4)]) : default;
        ModelInode inode = ChangedData(intent.Ino);
        for (int i = 0; i < (int)intent.Blocks; i++)
        {
            ulong block = intent.FileBlock + (ulong)i;
            ulong phys = intent.PhysBlock + (ulong)i;
            if (!inode.Blocks.TryGetValue(block, out ModelBlock old) || old.IsPacked || old.Phys != phys)
            {
                RemoveBlock(inode, block);
                _refs.Add(phys, 1);
            }

            inode.Blocks[block] = new ModelBlock(phys, intent.Flags, hasCrc ? crcs[i] : 0, BaseOf(Boot, Seq, intent.FileBlock, intent.Mtime, i), false);
        }

        inode.Size = Math.Max(inode.Size, intent.Size);
        inode.Mtime = intent.Mtime;
        inode.Ctime = intent.Ctime;
    }

    private void Unmap(in IntentUnmap intent)
    {
        ModelInode inode = ChangedData(intent.Ino);
        Punch(inode, intent.FileBlock, intent.FileBlock + intent.Blocks);
        inode.Mtime = intent.Mtime;
        inode.Ctime = intent.Ctime;
    }

    // no attribute of the inode: it is not changed
    private void Overwrite(ReadOnlySpan<byte> record)
    {
        IntentOverwrite intent = Read<IntentOverwrite>(record);
        ModelInode inode = Inodes[intent.Ino];
        inode.Barrier = Seq;
        inode.MapSeq = Seq;
        inode.DataSeq = Seq;
        foreach (BlockRange range in MemoryMarshal.Cast<byte, BlockRange>(Tail<IntentOverwrite>(record))[..(int)intent.Count])
        {
            foreach (ulong block in Range(inode, range.Start, range.Start + range.Count))
            {
                ModelBlock old = inode.Blocks[block];
                inode.Blocks[block] = old with { Flags = old.Flags & ~ExtentFlags.Crc, Crc = LakeFormat.CrcUnknown };
            }
        }
    }

    private void Clone(in IntentClone intent)
    {
        ModelInode source = Inodes[intent.SrcIno];
        ModelInode target = ChangedData(intent.DstIno);
        source.Barrier = Seq;
        Punch(target, intent.DstBlock, intent.DstBlock + intent.Blocks);
        Copy(source, intent.SrcBlock, target, intent.DstBlock, intent.Blocks);
        target.Size = Math.Max(target.Size, intent.Size);
        target.Mtime = intent.Mtime;
        target.Ctime = intent.Ctime;
    }

    private void Shift(in IntentShift intent)
    {
        ModelInode inode = ChangedData(intent.Ino);
        bool up = (intent.Flags & LakeRing.ShiftUp) != 0;
        Cut(inode, intent.FileBlock);
        Cut(inode, intent.FileBlock + intent.Blocks);
        var moved = new List<KeyValuePair<ulong, ModelBlock>>();
        foreach (ulong block in Range(inode, intent.FileBlock, intent.FileBlock + intent.Blocks))
        {
            moved.Add(new(block, inode.Blocks[block]));
            inode.Blocks.Remove(block);
        }

        foreach ((ulong block, ModelBlock value) in moved)
        {
            inode.Blocks.Add(up ? block + intent.Distance : block - intent.Distance, value);
        }

        inode.Size = intent.Size == 0 ? inode.Size : intent.Size;
        inode.Mtime = intent.Mtime;
        inode.Ctime = intent.Ctime;
    }

    private static ulong[] Range(ModelInode inode, ulong from, ulong end) =>
        [.. inode.Blocks.Keys.SkipWhile(b => b < from).TakeWhile(b => b < end)];

    private void Punch(ModelInode inode, ulong from, ulong end)
    {
        foreach (ulong block in Range(inode, from, end))
        {
            RemoveBlock(inode, block);
        }
    }

    /// <summary>What is written of a range, to a place where nothing is.</summary>
    private void Copy(ModelInode source, ulong from, ModelInode target, ulong to, ulong count)
    {
        foreach (ulong block in Range(source, from, from + count))
        {
            ModelBlock shared = source.Blocks[block] with { IsMarked = true };
            if (shared.IsUnwritten)
            {
                continue;
            }

            source.Blocks[block] = shared;
            AddBlock(target, block - from + to, shared with { IsContinued = shared.IsContinued && block > from });
        }
    }

    private void AddBlock(ModelInode inode, ulong block, ModelBlock value)
    {
        inode.Blocks.Add(block, value);
        if (value.IsPacked)
        {
            ReferToPack(value);
            return;
        }

        if (!value.IsContinued)
        {
            Refer(value.Phys);
        }

        if (value.IsSkewed)
        {
            Refer(value.Phys + 1);
        }
    }

    /// <summary>A skewed or packed extent does not go on from the block before this one.</summary>
    private void Cut(ModelInode inode, ulong block)
    {
        if (inode.Blocks.TryGetValue(block, out ModelBlock value) && value.IsContinued)
        {
            value = value with { IsContinued = false };
            inode.Blocks[block] = value;
            if (value.IsPacked)
            {
                ReferToPack(value);
                return;
            }

            Refer(value.Phys);
        }
    }

    private void RemoveBlock(ModelInode inode, ulong block)
    {
        if (!inode.Blocks.Remove(block, out ModelBlock old))
        {
            return;
        }

        if (old.IsPacked)
        {
            RemovePacked(inode, block, old);
            return;
        }

        if (!old.IsContinued)
        {
            Unrefer(old.Phys);
        }

        if (inode.Blocks.TryGetValue(block + 1, out ModelBlock next) && next.IsContinued)
        {
            inode.Blocks[block + 1] = next with { IsContinued = false }; // the reference is this one's now
        }
        else if (old.IsSkewed)
        {
            Unrefer(old.Phys + 1);
        }
    }

    private void Refer(ulong phys) => _refs[phys] = _refs.GetValueOrDefault(phys) + 1;

    private void Unrefer(ulong phys)
    {
        switch (--_refs[phys])
        {
            case 0:
                _refs.Remove(phys);
                OnFreed?.Invoke(phys, Seq);
                break;
            case 1:
                OnUnshared?.Invoke(phys, Seq);
                break;
            default:
                break;
        }
    }
}
