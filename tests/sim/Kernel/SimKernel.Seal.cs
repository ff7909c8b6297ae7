// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.Ingest;
using DeepLake.Platform;

namespace DeepLake.Sim;

/// <summary>Sealing: the daemon asks, this decides. What is sealed is written elsewhere from then on.</summary>
internal sealed partial class SimKernel : ISealer
{
    public Errno Seal(ref SealArgs args) => Ask(ref args, IntentOp.Seal);

    public Errno Checked(ref SealArgs args) => Ask(ref args, IntentOp.Checked);

    public Errno Unseal(ref SealArgs args) => Ask(ref args, IntentOp.Unseal);

    private Errno Ask(ref SealArgs args, IntentOp op)
    {
        if (!_tree.Inodes.TryGetValue(args.Ino, out ModelInode? inode) || inode.Nlink == 0 || inode.Generation != args.Generation)
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
