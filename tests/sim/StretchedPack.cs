// SPDX-License-Identifier: MPL-2.0
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;

namespace DeepLake.Sim;

/// <summary>
/// A pack as nobody would make it, but as anybody may: one zstd frame of raw blocks and runs (RFC 8878), so that it has
/// as many device blocks as are wanted, and not only what the little content of a simulation comes to.
/// </summary>
internal static class StretchedPack
{
    private const int SectorBytes = 512;
    private const int HeaderBytes = 9; // magic, descriptor, size of the content in four bytes
    private const int RawBlock = 0;
    private const int RunBlock = 1;

    /// <summary>The pack, whole device blocks; null when it would have too many.</summary>
    /// <param name="content">Whole blocks.</param>
    /// <param name="raw">So many of them are stored as they are; of the others the zeroes at their ends are runs.</param>
    public static byte[]? Make(ReadOnlySpan<byte> content, int raw)
    {
        int blocks = content.Length / LakeFormat.BlockSize;
        var frame = new List<byte>();
        byte[] header = new byte[HeaderBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(header, 0xfd2fb528);
        header[4] = 0xa0; // one segment
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(5), (uint)content.Length);
        frame.AddRange(header);
        for (int i = 0; i < blocks; i++)
        {
            ReadOnlySpan<byte> block = content.Slice(i * LakeFormat.BlockSize, LakeFormat.BlockSize);
            bool isLast = i == blocks - 1;
            if (i < raw || block[SectorBytes..].ContainsAnyExcept((byte)0))
            {
                Add(frame, RawBlock, block.Length, isLast, block);
            }
            else
            {
                Add(frame, RawBlock, SectorBytes, false, block[..SectorBytes]);
                Add(frame, RunBlock, block.Length - SectorBytes, isLast, [0]);
            }
        }

        int used = Unsafe.SizeOf<PackHeader>() + frame.Count;
        int deviceBlocks = (used + LakeFormat.BlockSize - 1) / LakeFormat.BlockSize;
        if (deviceBlocks > LakeFormat.PackBlocks)
        {
            return null;
        }

        byte[] pack = new byte[deviceBlocks * LakeFormat.BlockSize];
        MemoryMarshal.Write(
            pack, new PackHeader { Magic = LakeFormat.PackMagic, Algorithm = LakeFormat.PackZstd, Blocks = (ushort)blocks, Bytes = (uint)frame.Count });
        frame.CopyTo(pack, Unsafe.SizeOf<PackHeader>());
        return pack;
    }

    private static void Add(List<byte> frame, int type, int bytes, bool isLast, ReadOnlySpan<byte> data)
    {
        int header = (bytes << 3) | (type << 1) | (isLast ? 1 : 0);
        frame.AddRange([(byte)header, (byte)(header >> 8), (byte)(header >> 16)]);
        frame.AddRange(data);
    }
}
