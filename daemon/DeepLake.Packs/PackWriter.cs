// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;

namespace DeepLake.Packs;

/// <summary>Makes packs; one thread at a time.</summary>
public sealed class PackWriter : IDisposable
{
    private readonly FrameWriter _frames = new();

    /// <summary>Compresses blocks into a pack.</summary>
    /// <param name="content">1 to <see cref="LakeFormat.PackBlocks"/> blocks.</param>
    /// <param name="pack">Gets whole device blocks, zeroes behind the compressed bytes.</param>
    /// <returns>How many device blocks the pack has; 0 when it does not fit into <paramref name="pack"/>.</returns>
    public int Pack(ReadOnlySpan<byte> content, Span<byte> pack)
    {
        int blocks = content.Length / LakeFormat.BlockSize;
        if (blocks is 0 or > LakeFormat.PackBlocks || content.Length % LakeFormat.BlockSize != 0)
        {
            throw new ArgumentException("a pack has 1 to 32 whole blocks", nameof(content));
        }

        if (pack.Length < PackFormat.HeaderBytes
            || !_frames.TryWrite(content, pack[PackFormat.HeaderBytes..], out int bytes))
        {
            return 0;
        }

        var header = new PackHeader
        {
            Magic = LakeFormat.PackMagic,
            Algorithm = LakeFormat.PackZstd,
            Blocks = (ushort)blocks,
            Bytes = (uint)bytes,
        };
        MemoryMarshal.Write(pack, in header);
        int used = PackFormat.HeaderBytes + bytes;
        int deviceBlocks = (used + LakeFormat.BlockSize - 1) / LakeFormat.BlockSize;
        if (deviceBlocks * LakeFormat.BlockSize > pack.Length)
        {
            return 0;
        }

        pack[used..(deviceBlocks * LakeFormat.BlockSize)].Clear();
        return deviceBlocks;
    }

    /// <summary>Whether compression saves an eighth at least; of what goes into a pack with others.</summary>
    /// <param name="content">Any bytes.</param>
    /// <param name="scratch">As many.</param>
    public bool IsCompressible(ReadOnlySpan<byte> content, Span<byte> scratch) =>
        _frames.TryWrite(content, scratch[..(content.Length - (content.Length / 8))], out _);

    public void Dispose() => _frames.Dispose();
}
