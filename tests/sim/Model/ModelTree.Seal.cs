// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Sim;

/// <summary>Sealed and checked blocks, and those of equal files.</summary>
internal sealed partial class ModelTree
{
    private void Seal(in IntentSeal intent, IntentOp op)
    {
        ModelInode inode = op == IntentOp.Unseal ? ChangedData(intent.Ino) : Changed(intent.Ino);
        foreach (ulong block in Range(inode, intent.FileBlock, intent.FileBlock + intent.Blocks))
        {
            ModelBlock value = inode.Blocks[block];
            if (value.IsUnwritten)
            {
                continue;
            }

            inode.Blocks[block] = op switch
            {
                IntentOp.Seal => value with { Flags = value.Flags | ExtentFlags.Sealed },
                IntentOp.Checked when !value.IsSealed => throw new SimulationException($"block {block} of inode {inode.Ino} is checked unsealed"),
                IntentOp.Checked => value with
                {
                    Flags = (value.Flags | ExtentFlags.Checked) & ~ExtentFlags.Crc,
                    Crc = LakeFormat.CrcUnknown,
                },
                _ => Unseal(value),
            };
        }
    }

    /// <summary>What the target reads stays what it is: anything else is a finding.</summary>
    private void Share(in IntentShare intent)
    {
        ModelInode source = Changed(intent.SrcIno);
        ModelInode target = Changed(intent.DstIno);
        target.MapSeq = Seq;
        ulong end = intent.FileBlock + intent.Blocks;
        for (ulong block = intent.FileBlock; block < end; block++)
        {
            if (!Reads(source, block).Equals(Reads(target, block)))
            {
                throw new SimulationException($"inode {target.Ino} is to share block {block} of inode {source.Ino}, which is not equal");
            }
        }

        Punch(target, intent.FileBlock, end);
        foreach (ulong block in Range(source, intent.FileBlock, end))
        {
            ModelBlock shared = source.Blocks[block] with { IsMarked = true };
            if (!shared.IsUnwritten)
            {
                source.Blocks[block] = shared;
                target.Blocks.Add(block, shared);
                _refs[shared.Phys]++;
            }
        }
    }

    /// <summary>What a block of a file holds, up to the file's end; of a hole nothing.</summary>
    private static ulong Reads(ModelInode inode, ulong block)
    {
        ulong contents = inode.Blocks.TryGetValue(block, out ModelBlock value) && !value.IsUnwritten ? value.Base : 0;
        ulong from = block * LakeFormat.BlockSize;
        ulong bytes = inode.Size > from ? inode.Size - from : 0;
        // the first eight bytes tell
        return bytes >= sizeof(ulong) ? contents : contents & ((1ul << (int)(8 * bytes)) - 1);
    }

    // It goes on being written elsewhere until the daemon says that it need not.
    private ModelBlock Unseal(ModelBlock value)
    {
        if (!value.IsSealed)
        {
            return value;
        }

        OnUnshared?.Invoke(value.Phys, Seq);
        return value with { Flags = value.Flags & ~(ExtentFlags.Sealed | ExtentFlags.Checked), IsMarked = true };
    }
}
