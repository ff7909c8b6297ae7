// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Sim;

/// <summary>Ranges of files that are equal, byte by byte.</summary>
internal sealed partial class ModelTree
{
    private const int BlockBytes = LakeFormat.BlockSize;

    /// <summary>What the target reads stays what it is: anything else is a finding.</summary>
    private void Share(in IntentShare intent)
    {
        ModelInode source = Changed(intent.SrcIno);
        ModelInode target = Changed(intent.DstIno);
        target.MapSeq = Seq;
        if (!AreEqual(source, intent.SrcPos, target, intent.DstBlock, intent.Blocks))
        {
            throw new SimulationException(
                $"inode {target.Ino} is to share byte {intent.SrcPos} of inode {source.Ino} at block {intent.DstBlock}+{intent.Blocks}, which is not equal");
        }

        Punch(target, intent.DstBlock, intent.DstBlock + intent.Blocks);
        if (intent.SrcPos % BlockBytes == 0)
        {
            Copy(source, intent.SrcPos / BlockBytes, target, intent.DstBlock, intent.Blocks);
        }
        else
        {
            CopyBytes(source, intent.SrcPos, target, intent.DstBlock, intent.Blocks);
        }
    }

    /// <summary>Whether so many blocks of one file read like the bytes of another one from a position on.</summary>
    public bool AreEqual(ModelInode source, ulong srcPos, ModelInode target, ulong dstBlock, ulong blocks)
    {
        for (ulong i = 0; i < blocks; i++)
        {
            if (!Reads(source, srcPos + (i * BlockBytes)).AsSpan().SequenceEqual(Reads(target, (dstBlock + i) * BlockBytes)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A block's worth of a file from any byte on, up to the file's end; zeroes behind.</summary>
    public byte[] Reads(ModelInode inode, ulong pos)
    {
        byte[] bytes = new byte[BlockBytes];
        int skipped = (int)(pos % BlockBytes);
        BytesOf(inode, pos / BlockBytes)[skipped..].CopyTo(bytes);
        if (skipped > 0)
        {
            BytesOf(inode, (pos / BlockBytes) + 1)[..skipped].CopyTo(bytes.AsSpan(BlockBytes - skipped));
        }

        ulong left = inode.Size > pos ? inode.Size - pos : 0;
        bytes.AsSpan((int)Math.Min(left, BlockBytes)).Clear();
        return bytes;
    }

    /// <summary>Whether these blocks lie together on the device, as one run of checked bytes; those in packs never do.</summary>
    public static bool IsOneRun(ModelInode inode, ulong fileBlock, ulong blocks)
    {
        for (ulong i = 0; i < blocks; i++)
        {
            if (!inode.Blocks.TryGetValue(fileBlock + i, out ModelBlock value) || !value.IsChecked || value.IsPacked
                || (i > 0 && value.FirstByte != inode.Blocks[fileBlock + i - 1].FirstByte + BlockBytes))
            {
                return false;
            }
        }

        return true;
    }

    private ReadOnlySpan<byte> BytesOf(ModelInode inode, ulong block)
    {
        if (!inode.Blocks.TryGetValue(block, out ModelBlock value) || value.IsUnwritten)
        {
            return new byte[BlockBytes];
        }

        byte[] first = _contents.Of(value.Base);
        return value.IsSkewed ? [.. first[(int)value.Skew..], .. _contents.Of(value.Behind)[..(int)value.Skew]] : first;
    }

    private void CopyBytes(ModelInode source, ulong srcPos, ModelInode target, ulong dstBlock, ulong blocks)
    {
        ulong first = srcPos / BlockBytes;
        if (!IsOneRun(source, first, blocks + 1))
        {
            throw new SimulationException($"byte {srcPos} of inode {source.Ino} is shared with {blocks} blocks behind it, which are not one run");
        }

        var held = new Dictionary<ulong, ulong>();
        for (ulong block = first; block <= first + blocks; block++)
        {
            ModelBlock value = source.Blocks[block] with { IsMarked = true };
            source.Blocks[block] = value;
            held[value.Phys] = value.Base;
            held[value.Phys + 1] = value.IsSkewed ? value.Behind : 0; // or what the next one says
        }

        for (ulong i = 0; i < blocks; i++)
        {
            ulong at = source.Blocks[first].FirstByte + (srcPos % BlockBytes) + (i * BlockBytes);
            ulong phys = at / BlockBytes;
            uint skew = (uint)(at % BlockBytes);
            uint flags = ExtentFlags.Sealed | ExtentFlags.Checked | (skew << ExtentFlags.SkewShift);
            AddBlock(target, dstBlock + i, new ModelBlock(phys, flags, LakeFormat.CrcUnknown, held[phys], true)
            {
                Behind = skew > 0 ? held[phys + 1] : 0,
                IsContinued = skew > 0 && i > 0,
            });
        }
    }
}
