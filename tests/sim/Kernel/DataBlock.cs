// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Platform;

namespace DeepLake.Sim;

/// <summary>
/// The content of a data block: in its first sector what was written when it was mapped and how often it
/// was overwritten since; zeroes behind. Overwriting is of one sector, so no power cut can tear it.
/// </summary>
internal static class DataBlock
{
    public const int SectorBytes = 512;

    public static byte[] Sector(ulong contents, ulong version)
    {
        byte[] sector = new byte[SectorBytes];
        ReadOnlySpan<ulong> words = [contents, version, ~contents, ~version];
        MemoryMarshal.AsBytes(words).CopyTo(sector);
        return sector;
    }

    /// <summary>All of a block that is written for the first time: what it held before may be anything.</summary>
    public static byte[] Block(ulong contents)
    {
        byte[] block = new byte[LakeFormat.BlockSize];
        Sector(contents, 0).CopyTo(block, 0);
        return block;
    }

    public static uint Crc(ReadOnlySpan<byte> sector)
    {
        Span<byte> block = stackalloc byte[LakeFormat.BlockSize];
        block.Clear();
        sector.CopyTo(block);
        return Crc32C.Compute(block);
    }

    public static (ulong Contents, ulong Version) Parse(ReadOnlySpan<byte> sector)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(sector);
        return (words[0], words[1]);
    }
}
