// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Hash.Bench;

/// <summary>
/// FastCDC with a table of 256 entries of 64 bits and normalisation level 2, one byte after the other
/// (Xia and others, 2016, algorithm 1), with the sizes of the lake: what the lake's chunker is compared
/// with.
/// </summary>
internal static class FastCdc
{
    private const int Min = 8 << 10;
    private const int Normal = 32 << 10;
    private const int Max = 128 << 10;
    private const ulong Strict = ulong.MaxValue << (64 - 17);
    private const ulong Loose = ulong.MaxValue << (64 - 13);

    private static readonly ulong[] Table = MakeTable();

    /// <summary>Writes where chunks end; returns how many there are.</summary>
    public static int Cut(ReadOnlySpan<byte> data, Span<int> cuts)
    {
        int count = 0;
        for (int start = 0; start < data.Length; start = cuts[count - 1])
        {
            cuts[count++] = start + First(data[start..]);
        }
        return count;
    }

    private static int First(ReadOnlySpan<byte> data)
    {
        int normal = Math.Min(Normal, data.Length);
        int max = Math.Min(Max, data.Length);
        ulong[] table = Table;
        ulong hash = 0;
        int i = Min;
        for (; i < normal; i++)
        {
            hash = (hash << 1) + table[data[i]];
            if ((hash & Strict) == 0)
            {
                return i + 1;
            }
        }
        for (; i < max; i++)
        {
            hash = (hash << 1) + table[data[i]];
            if ((hash & Loose) == 0)
            {
                return i + 1;
            }
        }
        return max;
    }

    private static ulong[] MakeTable()
    {
        var random = new Random(1);
        ulong[] table = new ulong[256];
        for (int i = 0; i < table.Length; i++)
        {
            table[i] = (ulong)random.NextInt64(long.MinValue, long.MaxValue);
        }
        return table;
    }
}
