// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.Ingest;
using DeepLake.Packs;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Sim;

/// <summary>Makes packs and writes what REMAPs are going to be about: the blocks, their entries of the checksum table.</summary>
internal sealed class PackedWriter(Random random, IBlockDevice device, Superblock superblock) : IDisposable
{
    private readonly ChecksumTable _table = new(device, superblock);
    private readonly PackWriter _packs = new();
    private (ulong Start, byte[] Bytes)? _late;

    /// <summary>A pack of these blocks; null when it would be too long.</summary>
    public byte[]? Pack(byte[] content)
    {
        if (random.Next(2) == 0)
        {
            return StretchedPack.Make(content, random.Next(2) * random.Next(LakeFormat.PackBlocks));
        }

        byte[] pack = new byte[PackFormat.ContentMax];
        int blocks = _packs.Pack(content, pack);
        return blocks == 0 ? null : pack[..(blocks * LakeFormat.BlockSize)];
    }

    public void Write(ulong start, byte[] bytes)
    {
        if (Planted.Is(PlantedFault.PackWrittenAfterItsRemaps))
        {
            _late = (start, bytes);
        }
        else
        {
            device.Write(bytes, (long)start * LakeFormat.BlockSize);
        }

        _table.Forget();
        for (int at = 0; at < bytes.Length; at += LakeFormat.BlockSize)
        {
            uint sum = Crc32C.Compute(bytes.AsSpan(at, LakeFormat.BlockSize));
            bool isWrong = Planted.Is(PlantedFault.WrongSumsOfAPack) && at > 0;
            _table.Stage(start + (ulong)(at / LakeFormat.BlockSize), [isWrong ? ~sum : sum]);
        }

        _table.Store();
        device.Flush();
    }

    /// <summary>A planted defect: what has not been written is written now.</summary>
    public void WriteLate()
    {
        if (_late is { } late)
        {
            _late = null;
            device.Write(late.Bytes, (long)late.Start * LakeFormat.BlockSize);
        }
    }

    public void Forget() => _table.Forget();

    public void Dispose()
    {
        _table.Dispose();
        _packs.Dispose();
    }
}
