// SPDX-License-Identifier: MPL-2.0
using DeepLake.Hash.Chunking;

namespace DeepLake.Hash.Bench;

/// <summary>Cutting: speed alone and with hashing, and what an edited copy adds, beside FastCDC.</summary>
internal static unsafe class ChunkRows
{
    private const int Window = 1 << 20;
    private const int Edits = 1000;

    private static readonly int[] Cuts = new int[1 << 20];
    private static readonly ByteRange[] Ranges = new ByteRange[Window / (8 << 10) + 2];
    private static readonly Blake3Hash[] Hashes = new Blake3Hash[Window / (8 << 10) + 2];
    private static readonly Chunker Lanes = new(ChunkSizes.Lake);
    private static readonly Chunker Bytes = new(ChunkSizes.Lake, useLanes: false);
    private static readonly BatchHasher Batch = new();

    public static void Speed(int rounds, byte* memory, int length)
    {
        double[] best = Race.Run(
            rounds,
            () => Cut(Lanes, memory, length),
            () => Cut(Bytes, memory, length),
            () => FastCdc.Cut(new ReadOnlySpan<byte>(memory, length), Cuts),
            () => CutAndHash(Lanes, memory, length),
            () => CutAndHash(Bytes, memory, length),
            () => FastCdcAndHash(memory, length));
        string[] names = ["cut", "cut, byte by byte", "cut, FastCDC", "cut + hash", "cut byte by byte + hash", "FastCDC + hash"];
        Console.WriteLine($"\nchunks of {HashRows.Size(length)}, one thread, GB/s");
        for (int i = 0; i < names.Length; i++)
        {
            Console.WriteLine($"{names[i],-26}{length / best[i] / 1e9,8:F2}");
        }
    }

    /// <summary>A copy with small insertions, deletions and overwrites: the bytes of chunks that are new.</summary>
    public static void Dedup(string name, byte[] content)
    {
        byte[] edited = Edit(content);
        Console.WriteLine($"\nduplicates in {name}, {HashRows.Size(content.Length)}, and a copy with {Edits} edits");
        Show("lake", content, edited, data => Cuts.AsSpan(0, LakeCuts(data)));
        Show("FastCDC", content, edited, data => Cuts.AsSpan(0, FastCdc.Cut(data, Cuts)));
    }

    private delegate ReadOnlySpan<int> Cutter(byte[] data);

    private static void Show(string name, byte[] content, byte[] edited, Cutter cutter)
    {
        var known = new HashSet<Blake3Hash>();
        (long unique, int chunks) = Count(known, content, cutter(content));
        (long added, _) = Count(known, edited, cutter(edited));
        Console.WriteLine($"{name,-10}mean chunk {content.Length / chunks / 1024.0:F1} KiB, duplicates within {100.0 * (content.Length - unique) / content.Length:F2} %, " +
            $"new for the copy {added / 1024.0 / Edits:F1} KiB per edit");
    }

    private static (long Bytes, int Chunks) Count(HashSet<Blake3Hash> known, byte[] data, ReadOnlySpan<int> cuts)
    {
        long bytes = 0;
        int start = 0;
        foreach (int end in cuts)
        {
            bytes += known.Add(Blake3.Hash(data.AsSpan(start, end - start))) ? end - start : 0;
            start = end;
        }
        return (bytes, cuts.Length);
    }

    private static int LakeCuts(byte[] data)
    {
        Lanes.Reset();
        int count = Lanes.Append(data, Cuts);
        if (Lanes.OpenBytes > 0)
        {
            Cuts[count++] = data.Length;
        }
        return count;
    }

    private static void Cut(Chunker chunker, byte* memory, int length)
    {
        chunker.Reset();
        chunker.Append(new ReadOnlySpan<byte>(memory, length), Cuts);
    }

    // A window after the other: the chunks that end in it are hashed together.
    private static void CutAndHash(Chunker chunker, byte* memory, int length)
    {
        chunker.Reset();
        for (int at = 0; at < length; at += Window)
        {
            int window = Math.Min(Window, length - at);
            int open = chunker.OpenBytes;
            int count = chunker.Append(new ReadOnlySpan<byte>(memory + at, window), Cuts);
            if (at + window == length && chunker.OpenBytes > 0)
            {
                Cuts[count++] = window;
            }
            for (int i = 0; i < count; i++)
            {
                Cuts[i] += open;
            }
            HashChunks(memory + at - open, open + window, count);
        }
    }

    private static void FastCdcAndHash(byte* memory, int length)
    {
        for (int start = 0; start < length;)
        {
            int window = Math.Min(Window, length - start);
            int count = FastCdc.Cut(new ReadOnlySpan<byte>(memory + start, window), Cuts);
            count -= count > 1 && start + window < length ? 1 : 0;
            start += HashChunks(memory + start, window, count);
        }
    }

    private static int HashChunks(byte* data, int window, int count)
    {
        int start = 0;
        for (int i = 0; i < count; i++)
        {
            Ranges[i] = new ByteRange(start, Cuts[i] - start);
            start = Cuts[i];
        }
        Batch.Hash(new ReadOnlySpan<byte>(data, window), Ranges.AsSpan(0, count), Hashes);
        return start;
    }

    private static byte[] Edit(byte[] content)
    {
        var random = new Random(11);
        int[] places = [.. Enumerable.Range(0, Edits).Select(_ => random.Next(content.Length - 200)).Order()];
        using var edited = new MemoryStream(content.Length + (1 << 20));
        byte[] added = new byte[100];
        int from = 0;
        foreach (int place in places.Where(p => p > 0))
        {
            if (place < from)
            {
                continue;
            }
            edited.Write(content, from, place - from);
            from = place;
            int length = random.Next(1, added.Length);
            int kind = random.Next(3); // 0 inserts, 1 deletes, 2 overwrites
            if (kind != 1)
            {
                random.NextBytes(added.AsSpan(0, length));
                edited.Write(added, 0, length);
            }
            from += kind == 0 ? 0 : length;
        }
        edited.Write(content, from, content.Length - from);
        return edited.ToArray();
    }
}
