// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.Ingest;
using DeepLake.Metadata.Tables;
using DeepLake.Packs;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Sim;

/// <summary>Reads checked extents of any kind, as who packs them does.</summary>
internal sealed class PackedReader(IBlockDevice device, Superblock superblock) : IDisposable
{
    private readonly ChecksumTable _table = new(device, superblock);
    private readonly PackReader _packs = new();

    /// <summary>The blocks of an extent; null when they are not what the checksum table says, or no pack.</summary>
    public byte[]? Read(in Extent extent)
    {
        byte[] bytes = new byte[extent.DeviceBlocks * LakeFormat.BlockSize];
        device.Read(bytes, (long)extent.DeviceBlock * LakeFormat.BlockSize);
        _table.Forget();
        for (uint i = 0; i < extent.DeviceBlocks; i++)
        {
            if (_table[extent.DeviceBlock + i] != Crc32C.Compute(bytes.AsSpan((int)i * LakeFormat.BlockSize, LakeFormat.BlockSize)))
            {
                return null;
            }
        }

        if (!extent.IsPacked)
        {
            return extent.ContentOf(bytes).ToArray();
        }

        ReadOnlySpan<byte> held = _packs.Read(bytes);
        return held.Length < (extent.PackIndex + (int)extent.Blocks) * LakeFormat.BlockSize ? null : extent.ContentOf(held).ToArray();
    }

    public void Dispose()
    {
        _table.Dispose();
        _packs.Dispose();
    }
}
