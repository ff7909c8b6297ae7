// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Platform;

namespace DeepLake.Check;

/// <summary>Reads data and compares it with its checksums: those of the extent, or those in the checksum table.</summary>
internal sealed class DataVerifier(CheckTarget target, Findings findings, ContentVerifier content)
{
    private readonly byte[] _block = new byte[LakeFormat.BlockSize];
    private readonly byte[] _table = new byte[LakeFormat.BlockSize];
    private ulong _tableBlock = ulong.MaxValue;

    public ulong VerifiedBlocks { get; private set; }

    /// <param name="key">Of the extent.</param>
    /// <param name="item">Inside the data region.</param>
    /// <param name="crcs">That the tree has and that are evidence, one a block, or none.</param>
    /// <param name="size">Of the file.</param>
    /// <param name="named">The inode, for findings.</param>
    public void Verify(in ItemKey key, in ExtentItem item, ReadOnlySpan<uint> crcs, ulong size, NamedInode named)
    {
        bool isChecked = (item.Flags & ExtentFlags.Checked) != 0;
        for (uint i = 0; i < item.Blocks && (isChecked || !crcs.IsEmpty); i++)
        {
            // a checked block is compared whatever its entry is, as by every read of it
            uint expected = isChecked ? Entry(item.PhysBlock + i) : crcs[(int)i];
            if (!isChecked && expected == LakeFormat.CrcUnknown)
            {
                continue;
            }

            target.ReadData!(_block, (long)(item.PhysBlock + i) * LakeFormat.BlockSize);
            VerifiedBlocks++;
            bool isGood = Crc32C.Compute(_block) == expected;
            if (isChecked)
            {
                content.Take(key.Object, key.Offset + i, _block, size, isGood);
            }

            if (!isGood)
            {
                AddDamage(named, key.Offset + i, item.PhysBlock + i);
            }
        }
    }

    private void AddDamage(NamedInode named, ulong fileBlock, ulong physBlock)
    {
        ulong from = fileBlock * LakeFormat.BlockSize;
        findings.Add(
            $"{named}: its bytes {from} to {from + LakeFormat.BlockSize - 1} are damaged (at byte {physBlock * LakeFormat.BlockSize} of the device, block {physBlock}): they do not match their checksum");
    }

    private uint Entry(ulong physBlock)
    {
        ulong index = physBlock - target.Data.StartBlock;
        ulong block = index / LakeFormat.SumsPerBlock;
        if (block != _tableBlock)
        {
            _tableBlock = ulong.MaxValue;
            target.ReadData!(_table, (long)(target.Sums.StartBlock + block) * LakeFormat.BlockSize);
            _tableBlock = block;
        }

        return MemoryMarshal.Cast<byte, uint>(_table)[(int)(index % LakeFormat.SumsPerBlock)];
    }
}
