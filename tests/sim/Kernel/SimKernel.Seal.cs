// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics.CodeAnalysis;
using DeepLake.Abi;
using DeepLake.Engine.Ingest;
using DeepLake.Platform;

namespace DeepLake.Sim;

/// <summary>Sealing and sharing: the daemon asks, this decides. What is sealed is written elsewhere from then on.</summary>
internal sealed partial class SimKernel : ISealer
{
    public Errno Seal(ref SealArgs args) => Ask(ref args, IntentOp.Seal);

    public Errno Checked(ref SealArgs args) => Ask(ref args, IntentOp.Checked);

    public Errno Unseal(ref SealArgs args) => Ask(ref args, IntentOp.Unseal);

    /// <summary>How many were granted.</summary>
    public long Shares { get; private set; }

    /// <summary>How many of them were of bytes that begin within a block.</summary>
    public long SkewedShares { get; private set; }

    public Errno Share(ref ShareArgs args)
    {
        if (!TryFind(args.SrcIno, args.SrcGeneration, out ModelInode? source) || !TryFind(args.DstIno, args.DstGeneration, out ModelInode? target))
        {
            return Errno.ENOENT;
        }

        if (IsFull)
        {
            return Errno.ENOSPC;
        }

        if (_random.Next(6) == 0)
        {
            // a program is quicker, and changes one of the two after the daemon has looked
            ulong ino = _random.Next(2) == 0 ? args.SrcIno : args.DstIno;
            ulong block = args.DstBlock + (ulong)_random.Next((int)args.Blocks);
            Record(new IntentUnmap { Ino = ino, FileBlock = block, Blocks = 1, Mtime = Now, Ctime = Now }, IntentOp.Unmap);
        }

        bool hasChanged = source.MapSeq > args.MapSeq || target.MapSeq > args.MapSeq;
        if ((hasChanged && !Planted.Is(PlantedFault.ShareOfChangedFile)) || !CanShare(args, source, target))
        {
            return Errno.EAGAIN;
        }

        Record(
            new IntentShare { SrcIno = args.SrcIno, DstIno = args.DstIno, SrcPos = args.SrcPos, DstBlock = args.DstBlock, Blocks = args.Blocks },
            IntentOp.Share);
        args.Seq = LastSeq;
        Shares++;
        SkewedShares += args.SrcPos % LakeFormat.BlockSize == 0 ? 0 : 1;
        return Errno.None;
    }

    private static bool CanShare(in ShareArgs args, ModelInode source, ModelInode target)
    {
        ulong first = args.SrcPos / LakeFormat.BlockSize;
        bool isSkewed = args.SrcPos % LakeFormat.BlockSize != 0;
        ulong bytes = args.Blocks * LakeFormat.BlockSize;
        ulong dstPos = args.DstBlock * LakeFormat.BlockSize;
        bool endsThere = source.Size < args.SrcPos + bytes || target.Size < dstPos + bytes;
        return !(endsThere && (args.SrcPos != dstPos || source.Size != target.Size))
            && !HasUnchecked(source, first, first + args.Blocks) && !HasUnchecked(target, args.DstBlock, args.DstBlock + args.Blocks)
            && (!isSkewed || ModelTree.IsOneRun(source, first, args.Blocks + 1));
    }

    private bool TryFind(ulong ino, uint generation, [NotNullWhen(true)] out ModelInode? inode) =>
        _tree.Inodes.TryGetValue(ino, out inode) && inode.Nlink > 0 && inode.Generation == generation;

    private static bool HasUnchecked(ModelInode inode, ulong from, ulong end) =>
        inode.Blocks.Any(b => b.Key >= from && b.Key < end && !b.Value.IsUnwritten && !b.Value.IsChecked);

    private Errno Ask(ref SealArgs args, IntentOp op)
    {
        if (!TryFind(args.Ino, args.Generation, out ModelInode? inode))
        {
            return Errno.ENOENT;
        }

        ulong end = args.FileBlock + args.Blocks;
        if (inode.MapSeq > args.MapSeq || (op == IntentOp.Checked && HasUnsealed(inode, args.FileBlock, end)))
        {
            return Errno.EAGAIN;
        }

        Record(new IntentSeal { Ino = args.Ino, FileBlock = args.FileBlock, Blocks = args.Blocks }, op);
        args.Seq = LastSeq;
        return Errno.None;
    }

    private static bool HasSealed(ModelInode inode, ulong from, ulong end) =>
        inode.Blocks.Any(b => b.Key >= from && b.Key < end && b.Value.IsSealed);

    private static bool HasUnsealed(ModelInode inode, ulong from, ulong end) =>
        inode.Blocks.Any(b => b.Key >= from && b.Key < end && !b.Value.IsUnwritten && !b.Value.IsSealed);
}
