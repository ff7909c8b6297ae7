// SPDX-License-Identifier: MPL-2.0
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DeepLake.Platform;

/// <summary>
/// CRC-32C (Castagnoli, reflected, initial value and final xor of all ones), the same value that the
/// kernel's crc32c(~0, …) ^ ~0 gives. Long inputs run three independent streams so that the latency of
/// the crc32 instruction is hidden; they are joined by a multiplication in GF(2).
/// </summary>
public static class Crc32C
{
    private const int BlockBytes = 1024;

    // Operators "append BlockBytes zero bytes" as four tables of 256: a table lookup per byte of the crc.
    private static readonly uint[] ShiftOneBlock = BuildShift(BlockBytes);
    private static readonly uint[] ShiftTwoBlocks = BuildShift(2 * BlockBytes);

    /// <summary>Checksum of the whole span.</summary>
    public static uint Compute(ReadOnlySpan<byte> data) => ~Update(uint.MaxValue, data);

    /// <summary>Continues a running checksum; start with ~0 and invert the last result.</summary>
    public static uint Update(uint state, ReadOnlySpan<byte> data)
    {
        while (data.Length >= 3 * BlockBytes)
        {
            state = UpdateThreeBlocks(state, data);
            data = data[(3 * BlockBytes)..];
        }
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(data);
        foreach (ulong word in words)
        {
            state = BitOperations.Crc32C(state, word);
        }
        foreach (byte b in data[(words.Length * sizeof(ulong))..])
        {
            state = BitOperations.Crc32C(state, b);
        }
        return state;
    }

    private static uint UpdateThreeBlocks(uint state, ReadOnlySpan<byte> data)
    {
        ref byte start = ref MemoryMarshal.GetReference(data);
        uint a = state;
        uint b = 0;
        uint c = 0;
        for (int i = 0; i < BlockBytes; i += sizeof(ulong))
        {
            a = BitOperations.Crc32C(a, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, i)));
            b = BitOperations.Crc32C(b, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, i + BlockBytes)));
            c = BitOperations.Crc32C(c, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, i + 2 * BlockBytes)));
        }
        return Shift(ShiftTwoBlocks, a) ^ Shift(ShiftOneBlock, b) ^ c;
    }

    private static uint Shift(uint[] table, uint crc) =>
        table[crc & 0xff] ^ table[256 + ((crc >> 8) & 0xff)] ^
        table[512 + ((crc >> 16) & 0xff)] ^ table[768 + (crc >> 24)];

    private static uint[] BuildShift(int bytes)
    {
        // Column i is where bit i of the crc goes when the zero bytes are appended.
        Span<uint> columns = stackalloc uint[32];
        for (int bit = 0; bit < 32; bit++)
        {
            uint crc = 1u << bit;
            for (int i = 0; i < bytes / sizeof(ulong); i++)
            {
                crc = BitOperations.Crc32C(crc, 0UL);
            }
            columns[bit] = crc;
        }
        var table = new uint[4 * 256];
        for (int position = 0; position < 4; position++)
        {
            for (int value = 0; value < 256; value++)
            {
                uint sum = 0;
                for (int bit = 0; bit < 8; bit++)
                {
                    sum ^= (value & (1 << bit)) != 0 ? columns[position * 8 + bit] : 0;
                }
                table[position * 256 + value] = sum;
            }
        }
        return table;
    }
}
