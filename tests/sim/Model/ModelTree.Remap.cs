// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Sim;

/// <summary>The same bytes at another place: in a pack, or in blocks of the device again.</summary>
internal sealed partial class ModelTree
{
    private void Remap(in IntentRemap intent)
    {
        ModelInode inode = Changed(intent.Ino);
        inode.MapSeq = Seq;
        var contents = new ulong[intent.Blocks];
        for (int i = 0; i < contents.Length; i++)
        {
            contents[i] = ContentsMoved(inode, intent.FileBlock + (ulong)i, i);
        }

        Punch(inode, intent.FileBlock, intent.FileBlock + intent.Blocks);
        for (int i = 0; i < contents.Length; i++)
        {
            var value = new ModelBlock(intent.PhysBlock + (ulong)i, intent.Flags, LakeFormat.CrcUnknown, contents[i], true);
            AddBlock(inode, intent.FileBlock + (ulong)i, value with { IsContinued = value.IsPacked && i > 0 });
        }
    }

    /// <summary>What may be written in place where it was does not change what was moved: that has a number of its own.</summary>
    private ulong ContentsMoved(ModelInode inode, ulong block, int index)
    {
        if (!inode.Blocks.TryGetValue(block, out ModelBlock value) || value.IsUnwritten || !value.IsChecked)
        {
            throw new SimulationException($"block {block} of inode {inode.Ino} is moved, and was not checked");
        }

        return !value.IsSkewed && IsCopied(value.Base)
            ? value.Base
            : _contents.Move(Boot, Seq, index, () => BytesOf(inode, block).ToArray());
    }

    /// <summary>An extent refers once to each block of its pack.</summary>
    private void ReferToPack(in ModelBlock value)
    {
        for (uint i = 0; i < value.Span && !value.IsContinued; i++)
        {
            Refer(value.DeviceBlock + i);
        }
    }

    /// <summary>Blocks of one packed extent that are left on both sides of this one are two extents from now on.</summary>
    private void RemovePacked(ModelInode inode, ulong block, in ModelBlock old)
    {
        bool isBehind = inode.Blocks.TryGetValue(block + 1, out ModelBlock next) && next.IsContinued;
        if (isBehind)
        {
            inode.Blocks[block + 1] = next with { IsContinued = false };
        }

        for (uint i = 0; i < old.Span && old.IsContinued == isBehind; i++)
        {
            if (isBehind)
            {
                Refer(old.DeviceBlock + i);
            }
            else
            {
                Unrefer(old.DeviceBlock + i);
            }
        }
    }
}
