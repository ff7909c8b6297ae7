// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Hash.Tests;

/// <summary>The cut definition of docs/chunking.md word by word, sharing no code with the product.</summary>
internal static class ReferenceChunker
{
    private const int Window = 32;

    public static List<int> Cuts(ReadOnlySpan<byte> content, int min, int normal, int max)
    {
        uint[] table = Table();
        int bits = (int)Math.Log2(normal);
        uint strict = ((1u << (bits + 2)) - 1) << (32 - (bits + 2));
        uint loose = ((1u << (bits - 2)) - 1) << (32 - (bits - 2));
        var cuts = new List<int>();
        int start = 0;
        for (int i = 0; i < content.Length; i++)
        {
            int size = i - start + 1;
            if (size < min)
            {
                continue;
            }
            uint hash = 0;
            for (int k = 0; k < Window; k++)
            {
                byte b = content[i - k];
                hash += table[(b ^ b / 8) % 32] << k;
            }
            if (size == max || (size < normal && (hash & strict) == 0) || (size >= normal && (hash & loose) == 0))
            {
                cuts.Add(i + 1);
                start = i + 1;
            }
        }
        return cuts;
    }

    private static uint[] Table()
    {
        ulong state = BitConverter.ToUInt64("DeepLake"u8);
        uint[] table = new uint[32];
        for (int i = 0; i < table.Length; i++)
        {
            table[i] = (uint)(SplitMix(ref state) >> 32);
        }
        return table;
    }

    /// <summary>The next number of SplitMix64.</summary>
    public static ulong SplitMix(ref ulong state)
    {
        state += 0x9E3779B97F4A7C15;
        ulong z = state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
