// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;

namespace DeepLake.Packs;

/// <summary>Reads packs, believing nothing that they say of themselves; one thread at a time.</summary>
public sealed class PackReader : IDisposable
{
    private readonly FrameReader _frames = new();
    private readonly byte[] _content = new byte[PackFormat.ContentMax];

    /// <summary>The blocks in a pack, valid until the next one is read.</summary>
    /// <param name="pack">All of its device blocks, already compared with their checksums.</param>
    /// <returns>Whole blocks; none when it is no pack, or not one of so many device blocks.</returns>
    public ReadOnlySpan<byte> Read(ReadOnlySpan<byte> pack)
    {
        if (pack.Length < PackFormat.HeaderBytes)
        {
            return default;
        }

        PackHeader header = MemoryMarshal.Read<PackHeader>(pack);
        int content = header.Blocks * LakeFormat.BlockSize;
        return header.Magic == LakeFormat.PackMagic && header.Algorithm == LakeFormat.PackZstd
            && header.Blocks is > 0 and <= LakeFormat.PackBlocks && header.Bytes <= pack.Length - PackFormat.HeaderBytes
            && _frames.TryRead(pack.Slice(PackFormat.HeaderBytes, (int)header.Bytes), _content.AsSpan(0, content))
            ? _content.AsSpan(0, content)
            : default;
    }

    public void Dispose() => _frames.Dispose();
}
