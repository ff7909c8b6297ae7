// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine.Ingest;
using DeepLake.Hash;
using DeepLake.Platform;

namespace DeepLake.Client;

/// <summary>
/// Maps, seals and shared blocks. What the daemon asks of the kernel is granted as long as the file is the one
/// that was looked at, and nothing changed its bytes after the look.
/// </summary>
public sealed partial class LakeClient : ISealer, IRemapper
{
    /// <summary>Tells where blocks of a file are; their data is on the device already.</summary>
    /// <param name="ino">The file.</param>
    /// <param name="fileBlock">The first block in it.</param>
    /// <param name="physBlock">The first of the leased blocks.</param>
    /// <param name="sums">The crc32c of each, <see cref="LakeRing.MapBlocksMax"/> at most.</param>
    /// <param name="sizeBytes">The file is at least as long then.</param>
    public void Map(ulong ino, ulong fileBlock, ulong physBlock, ReadOnlySpan<uint> sums, ulong sizeBytes)
    {
        int length = Unsafe.SizeOf<IntentMap>();
        MemoryMarshal.AsBytes(sums).CopyTo(_intent.AsSpan(length));
        length += sums.Length * sizeof(uint);
        Pad(ref length);
        LakeTime now = Now();
        var intent = new IntentMap
        {
            Header = NewHeader(IntentOp.Map, length),
            Ino = ino,
            FileBlock = fileBlock,
            PhysBlock = physBlock,
            Blocks = (uint)sums.Length,
            Flags = ExtentFlags.Crc,
            Size = sizeBytes,
            Mtime = now,
            Ctime = now,
        };
        Send(intent, length);
    }

    /// <summary>
    /// Seals mapped blocks of a file and has their reads checked; what they are compared with is in the
    /// checksum table already.
    /// </summary>
    public void SealChecked(ulong ino, ulong fileBlock, uint blocks)
    {
        Mark(IntentOp.Seal, ino, fileBlock, blocks);
        Mark(IntentOp.Checked, ino, fileBlock, blocks);
    }

    /// <summary>
    /// Gives a file, which is complete, its identity; when the lake has an equal one, both map the same
    /// blocks from now on. Nothing of it has to be: a lake without room goes on without.
    /// </summary>
    public void Identify(ulong ino, Blake3Hash id)
    {
        InodeRecord inode = GetInode(ino);
        EqualFiles? equal = engine.FindEqual(ino, inode.Size, id);
        if (!engine.PutObject(ino, inode.DataSeq, inode.Size, id) || equal is null)
        {
            return;
        }

        var share = new ShareIngest(engine, this);
        share.Begin(equal.Value);
        while (!share.IsDone)
        {
            share.Advance();
        }
    }

    Errno ISealer.Seal(ref SealArgs args) => Grant(IntentOp.Seal, ref args);

    Errno ISealer.Checked(ref SealArgs args) => Grant(IntentOp.Checked, ref args);

    Errno ISealer.Unseal(ref SealArgs args) => Grant(IntentOp.Unseal, ref args);

    Errno ISharer.Share(ref ShareArgs args)
    {
        Errno source = Judge(args.SrcIno, args.SrcGeneration, args.MapSeq);
        Errno target = Judge(args.DstIno, args.DstGeneration, args.MapSeq);
        if (source != Errno.None || target != Errno.None)
        {
            return source != Errno.None ? source : target;
        }

        int length = Unsafe.SizeOf<IntentShare>();
        var intent = new IntentShare
        {
            Header = NewHeader(IntentOp.Share, length),
            SrcIno = args.SrcIno,
            DstIno = args.DstIno,
            SrcPos = args.SrcPos,
            DstBlock = args.DstBlock,
            Blocks = args.Blocks,
        };
        Send(intent, length);
        args.Seq = engine.AppliedSeq;
        return Errno.None;
    }

    Errno IRemapper.Remap(ref RemapArgs args)
    {
        Errno error = Judge(args.Ino, args.Generation, args.MapSeq);
        if (error != Errno.None)
        {
            return error;
        }

        int length = Unsafe.SizeOf<IntentRemap>();
        var intent = new IntentRemap
        {
            Header = NewHeader(IntentOp.Remap, length),
            Ino = args.Ino,
            FileBlock = args.FileBlock,
            PhysBlock = args.PhysBlock,
            Blocks = (uint)args.Blocks,
            Flags = args.Flags,
        };
        Send(intent, length);
        args.Seq = engine.AppliedSeq;
        return Errno.None;
    }

    private Errno Grant(IntentOp op, ref SealArgs args)
    {
        Errno error = Judge(args.Ino, args.Generation, args.MapSeq);
        if (error == Errno.None)
        {
            Mark(op, args.Ino, args.FileBlock, args.Blocks);
            args.Seq = engine.AppliedSeq;
        }

        return error;
    }

    private Errno Judge(ulong ino, uint generation, ulong mapSeq)
    {
        if (!TryGetInode(ino, out InodeRecord inode) || inode.Nlink == 0 || inode.Generation != generation)
        {
            return Errno.ENOENT;
        }

        return inode.DataSeq > mapSeq ? Errno.EAGAIN : Errno.None;
    }

    private void Mark(IntentOp op, ulong ino, ulong fileBlock, ulong blocks)
    {
        int length = Unsafe.SizeOf<IntentSeal>();
        Send(new IntentSeal { Header = NewHeader(op, length), Ino = ino, FileBlock = fileBlock, Blocks = blocks }, length);
    }
}
