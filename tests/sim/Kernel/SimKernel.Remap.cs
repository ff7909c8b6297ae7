// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine.Ingest;
using DeepLake.Platform;

namespace DeepLake.Sim;

/// <summary>Remapping: the daemon asks, this decides; and what the kernel tells of it to a successor.</summary>
internal sealed partial class SimKernel : IRemapper
{
    private readonly HashSet<ulong> _packing = []; // blocks that the daemon holds to put a pack into

    /// <summary>How many were granted.</summary>
    public long Remaps { get; private set; }

    /// <summary>How many of them gave blocks of packs places on the device again.</summary>
    public long Unpackings { get; private set; }

    public Errno Remap(ref RemapArgs args)
    {
        if (!TryFind(args.Ino, args.Generation, out ModelInode? inode))
        {
            return Errno.ENOENT;
        }

        if (IsFull)
        {
            return Errno.ENOSPC;
        }

        Interfere(inode, args.FileBlock, args.Blocks);
        bool hasChanged = inode.MapSeq > args.MapSeq && !Planted.Is(PlantedFault.RemapOfChangedFile);
        if (hasChanged || !CanMove(inode, args.FileBlock, args.Blocks))
        {
            return Errno.EAGAIN;
        }

        if (_random.Next(20) == 0)
        {
            return Errno.EBUSY; // its pages are pinned
        }

        bool wasPacked = inode.Blocks[args.FileBlock].IsPacked;
        Record(
            new IntentRemap { Ino = args.Ino, FileBlock = args.FileBlock, PhysBlock = args.PhysBlock, Blocks = (uint)args.Blocks, Flags = args.Flags },
            IntentOp.Remap);
        args.Seq = LastSeq;
        Remaps++;
        Unpackings += wasPacked && (args.Flags & ExtentFlags.Packed) == 0 ? 1 : 0;
        return Errno.None;
    }

    /// <summary>
    /// All of the range is written and checked. What was once written in place is left where it is: the model does not
    /// know for certain what it is.
    /// </summary>
    public bool CanMove(ModelInode inode, ulong fileBlock, ulong blocks)
    {
        for (ulong block = fileBlock; block < fileBlock + blocks; block++)
        {
            if (!inode.Blocks.TryGetValue(block, out ModelBlock value) || value.IsUnwritten || !value.IsChecked || !IsAsWritten(value))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The daemon has taken free blocks for a pack: nobody else has them, nor may get them back.</summary>
    public void HoldPack(ulong start, uint blocks)
    {
        for (ulong block = start; block < start + blocks; block++)
        {
            RequireFree(block);
            _packing.Add(block);
        }
    }

    /// <summary>The daemon holds them no more, or there is another daemon.</summary>
    public void ForgetPacks() => _packing.Clear();

    /// <summary>A program is quicker, and changes something after the daemon has looked; of what is checked, too.</summary>
    private void Interfere(ModelInode inode, ulong fileBlock, ulong blocks)
    {
        int kind = _random.Next(12);
        ulong to = fileBlock + (ulong)_random.Next((int)blocks);
        if (kind == 0)
        {
            Record(new IntentUnmap { Ino = inode.Ino, FileBlock = to, Blocks = 1, Mtime = Now, Ctime = Now }, IntentOp.Unmap);
        }
        else if (kind == 1 && PickRegular() is { } source && source != inode && source.Blocks.FirstOrDefault(b => b.Value.IsChecked) is { Value.IsChecked: true } other)
        {
            Record(
                new IntentClone { SrcIno = source.Ino, SrcBlock = other.Key, DstIno = inode.Ino, DstBlock = to, Blocks = 1, Mtime = Now, Ctime = Now },
                IntentOp.Clone);
        }
    }

    /// <summary>
    /// What the engine holds though no map has it: blocks of packs, and of REMAPs to come; before a successor has got
    /// all again that its predecessor may have asked for, also what leaves a map.
    /// </summary>
    private HashSet<ulong> HeldForPacks(ulong applied)
    {
        IEnumerable<ulong> blocks = _packing.Concat(RemapsAfter(applied).SelectMany(BlocksOf));
        if (applied < _resentUntil)
        {
            blocks = blocks.Concat(TreeAt(_resentAfter, OldestSeq).Refs.Keys)
                .Concat(RemapsAfter(_resentAfter, applied).SelectMany(BlocksOf))
                .Concat(MapsAfter(_resentAfter).Where(m => m.Header.Seq <= applied).SelectMany(m => BlocksOf(new BlockRange { Start = m.PhysBlock, Count = m.Blocks })));
        }

        var held = blocks.ToHashSet();
        if (held.Count > 0)
        {
            held.ExceptWith(TreeAt(applied, OldestSeq).Refs.Keys);
        }

        return held;
    }

    private static IEnumerable<ulong> BlocksOf(BlockRange range) => Enumerable.Range(0, (int)range.Count).Select(i => range.Start + (ulong)i);

    /// <summary>Blocks of the device of REMAPs that are not in a state: as if leased.</summary>
    private IEnumerable<BlockRange> RemapsAfter(ulong seq, ulong until = ulong.MaxValue)
    {
        for (int i = (int)(seq - FirstSeq); i < Records.Count && (ulong)i < until - FirstSeq; i++)
        {
            if (MemoryMarshal.Read<IntentHeader>(Records[i]).Op == IntentOp.Remap)
            {
                IntentRemap remap = MemoryMarshal.Read<IntentRemap>(Records[i]);
                var value = new ModelBlock(remap.PhysBlock, remap.Flags, 0, 0, false);
                yield return new BlockRange { Start = value.DeviceBlock, Count = value.IsPacked ? value.Span : remap.Blocks };
            }
        }
    }
}
