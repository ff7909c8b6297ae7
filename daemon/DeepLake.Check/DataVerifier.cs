// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata.Tables;
using DeepLake.Packs;
using DeepLake.Platform;

namespace DeepLake.Check;

/// <summary>Reads data and compares it with its checksums: those of the extent, or those in the checksum table.</summary>
internal sealed class DataVerifier(CheckTarget target, DamagedPlaces damaged, ContentVerifier content) : IDisposable
{
    // what was read before, and what was read: a file's block may lie in both
    private readonly byte[] _pair = new byte[2 * LakeFormat.BlockSize];
    private readonly byte[] _table = new byte[LakeFormat.BlockSize];
    private readonly PackReader _packs = new();
    private byte[] _pack = []; // none before the first
    private ulong _tableBlock = ulong.MaxValue;

    /// <summary>Of the device; one that several extents refer to, once for each.</summary>
    public ulong VerifiedBlocks { get; private set; }

    /// <param name="ino">The file.</param>
    /// <param name="extent">Inside the data region.</param>
    /// <param name="crcs">That the tree has and that are evidence, one a block, or none.</param>
    /// <param name="facts">What its record says.</param>
    /// <param name="named">The inode, for findings.</param>
    public void Verify(ulong ino, in Extent extent, ReadOnlySpan<uint> crcs, InodeFacts facts, NamedInode named)
    {
        if (extent.IsPacked)
        {
            VerifyPack(ino, extent, facts, named);
            return;
        }

        bool wasGood = true;
        for (uint i = 0; i < extent.DeviceBlocks && (extent.IsChecked || !crcs.IsEmpty); i++)
        {
            // a checked block is compared whatever its entry is, as by every read of it
            uint expected = extent.IsChecked ? Entry(extent.PhysBlock + i) : crcs[(int)i];
            if (!extent.IsChecked && expected == LakeFormat.CrcUnknown)
            {
                continue;
            }

            Span<byte> block = _pair.AsSpan(LakeFormat.BlockSize);
            block.CopyTo(_pair);
            target.ReadData!(block, (long)(extent.PhysBlock + i) * LakeFormat.BlockSize);
            VerifiedBlocks++;
            bool isGood = Crc32C.Compute(block) == expected;
            if (extent.IsChecked && !extent.IsSkewed)
            {
                content.Take(ino, extent.FileBlock + i, block, facts, isGood);
            }
            else if (extent.IsSkewed && i > 0)
            {
                ulong fileBlock = extent.FileBlock + i - 1;
                content.Take(ino, fileBlock, extent.Slice(fileBlock, fileBlock + 1).ContentOf(_pair), facts, wasGood && isGood);
            }

            wasGood = isGood;
            if (!isGood)
            {
                AddDamage(ino, named, extent, extent.PhysBlock + i);
            }
        }
    }

    public void Dispose() => _packs.Dispose();

    private void VerifyPack(ulong ino, in Extent extent, InodeFacts facts, NamedInode named)
    {
        _pack = _pack.Length > 0 ? _pack : new byte[PackFormat.ContentMax];
        bool isGood = true;
        for (uint i = 0; i < extent.DeviceBlocks; i++)
        {
            Span<byte> block = _pack.AsSpan((int)i * LakeFormat.BlockSize, LakeFormat.BlockSize);
            target.ReadData!(block, (long)(extent.DeviceBlock + i) * LakeFormat.BlockSize);
            VerifiedBlocks++;
            if (Crc32C.Compute(block) != Entry(extent.DeviceBlock + i))
            {
                isGood = false;
                AddDamage(ino, named, extent, extent.DeviceBlock + i);
            }
        }

        ReadOnlySpan<byte> held = isGood ? _packs.Read(_pack.AsSpan(0, (int)extent.DeviceBlocks * LakeFormat.BlockSize)) : default;
        bool isThere = held.Length >= (extent.PackIndex + (int)extent.Blocks) * LakeFormat.BlockSize;
        if (isGood && !isThere)
        {
            damaged.Add(
                ino, named, extent.FileBlock, extent.FileEnd, "", $"what is at block {extent.DeviceBlock} of the device is no pack that holds them");
        }

        for (uint i = 0; i < extent.Blocks; i++)
        {
            ReadOnlySpan<byte> block = isThere ? held.Slice((extent.PackIndex + (int)i) * LakeFormat.BlockSize, LakeFormat.BlockSize) : _table;
            content.Take(ino, extent.FileBlock + i, block, facts, isThere);
        }
    }

    private void AddDamage(ulong ino, NamedInode named, in Extent extent, ulong physBlock)
    {
        (ulong first, ulong end) = extent.FileBlocksOf(physBlock);
        damaged.Add(
            ino, named, first, end, $" (at byte {physBlock * LakeFormat.BlockSize} of the device, block {physBlock})", $"they do not match their checksum");
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
