// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;

namespace DeepLake.Hash.Chunking;

/// <summary>
/// The gear hash (Xia and others: "Ddelta: a deduplication-inspired fast delta compression approach",
/// 2014) with a table of 32 entries, so that it fits into two vectors, and a state of 32 bits, which
/// makes its window the last 32 bytes.
/// </summary>
internal static class Gear
{
    public const int WindowBytes = 32;
    public const int TableSize = 32;

    // "DeepLake" in ASCII, as a little-endian number.
    private const ulong Seed = 0x656B_614C_7065_6544;

    /// <summary>The entries: the upper halves of SplitMix64's first outputs.</summary>
    public static uint[] Table { get; } = MakeTable();

    // Of all byte values, so that the fold is done once.
    private static readonly uint[] ByByte = [.. Enumerable.Range(0, 256).Select(b => Table[Fold((byte)b)])];

    /// <summary>A byte's entry in the table. Letters of a script stay different, as do digits.</summary>
    public static int Fold(byte value) => (value ^ value >> 3) & (TableSize - 1);

    /// <summary>The hash after one more byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Step(uint hash, byte value) => (hash << 1) + ByByte[value];

    public static uint TopBits(int count) => uint.MaxValue << (32 - count);

    // Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014.
    private static uint[] MakeTable()
    {
        uint[] table = new uint[TableSize];
        ulong state = Seed;
        for (int i = 0; i < TableSize; i++)
        {
            state += 0x9E37_79B9_7F4A_7C15;
            ulong z = state;
            z = (z ^ z >> 30) * 0xBF58_476D_1CE4_E5B9;
            z = (z ^ z >> 27) * 0x94D0_49BB_1331_11EB;
            table[i] = (uint)((z ^ z >> 31) >> 32);
        }
        return table;
    }
}
