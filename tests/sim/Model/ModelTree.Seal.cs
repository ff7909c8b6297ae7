// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Sim;

/// <summary>Sealed and checked blocks.</summary>
internal sealed partial class ModelTree
{
    private void Seal(in IntentSeal intent, IntentOp op)
    {
        ModelInode inode = op == IntentOp.Unseal ? ChangedData(intent.Ino) : Changed(intent.Ino);
        foreach (ulong block in Range(inode, intent.FileBlock, intent.FileBlock + intent.Blocks))
        {
            ModelBlock value = inode.Blocks[block];
            if (value.IsUnwritten || value.IsSkewed || value.IsPacked)
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
