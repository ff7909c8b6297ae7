// SPDX-License-Identifier: MPL-2.0
using DeepLake.Hash.Kernels;

namespace DeepLake.Hash.Bench;

/// <summary>Hashing: sizes from 64 bytes to 1 GiB, in memory by each back end, and files beside b3sum.</summary>
internal static unsafe class HashRows
{
    private const int Small = 256;
    private const int Updates = 500;

    public static void Memory(int rounds, byte* memory)
    {
        HashKernel[] kernels = [.. new[] { HashKernel.Avx512, HashKernel.Avx2Only, HashKernel.Scalar }.OfType<HashKernel>()];
        CLibrary? library = CLibrary.Find();
        string[] names = [.. kernels.Select(k => k.Name), .. library is null ? Array.Empty<string>() : ["C library"]];
        Console.WriteLine($"\nin memory, GB/s       {string.Join("", names.Select(n => $"{n,10}"))}{(library is null ? "" : "     ratio")}");
        foreach (int bytes in new[] { 64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 1 << 20, 16 << 20, 1 << 30 })
        {
            int times = Math.Max(1, (2 << 20) / Math.Max(bytes, 1 << 10));
            List<Action> contestants = [.. kernels.Select(k => Race.Repeat(times, () => Blake3.Hash(k, new ReadOnlySpan<byte>(memory, bytes))))];
            if (library is not null)
            {
                Check(library.Hash(memory, bytes) == Blake3.Hash(new ReadOnlySpan<byte>(memory, bytes)), "the C library's hash is another");
                contestants.Add(Race.Repeat(times, () => library.Hash(memory, bytes)));
            }
            double[] best = Race.Run(bytes > 16 << 20 ? Math.Min(rounds, 5) : rounds, [.. contestants]);
            string ratio = library is null ? "" : $"{best[^1] / best[0],10:F2}";
            Console.WriteLine($"{Size(bytes),-22}{string.Join("", best.Select(t => $"{bytes * (double)times / t / 1e9,10:F2}"))}{ratio}   {best[0] / times * 1e9:F0} ns");
        }
    }

    public static void Files(int rounds, byte* memory)
    {
        using var peer = new B3sum();
        var content = new ReadOnlySpan<byte>(memory, (1 << 30) + 4096);
        Console.WriteLine("\nfiles in memory, GB/s    mapped      read     b3sum   mapped / b3sum   read / b3sum");
        foreach (int bytes in new[] { 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 16 << 20, 1 << 30 })
        {
            string[] files = peer.MakeFiles(bytes, 256 << 20, content);
            double[] best = Race.Run(bytes >= 1 << 30 ? Math.Min(rounds, 7) : rounds, peer.Start, () => peer.Hash(files), () => B3sum.MapAndHash(files), () => peer.HashHere(files));
            double total = (double)bytes * files.Length / 1e9;
            double theirs = best[1] - best[0];
            Console.WriteLine($"{files.Length,4} of {Size(bytes),-14}{total / best[2],10:F2}{total / best[3],10:F2}{total / theirs,10:F2}{theirs / best[2],17:F2}{theirs / best[3],15:F2}");
            Array.ForEach(files, File.Delete);
        }
    }

    public static void Batches(int rounds, byte* memory)
    {
        var batch = new BatchHasher();
        var results = new Blake3Hash[Small];
        Console.WriteLine("\n256 inputs, GB/s       together   one by one     ratio");
        foreach (int bytes in new[] { 64, 256, 1 << 10, 4 << 10, 16 << 10, 40 << 10 })
        {
            ByteRange[] inputs = [.. Enumerable.Range(0, Small).Select(i => new ByteRange(i * bytes, bytes))];
            int times = Math.Max(1, (2 << 20) / (Small * bytes));
            double[] best = Race.Run(
                rounds,
                Race.Repeat(times, () => batch.Hash(new ReadOnlySpan<byte>(memory, Small * bytes), inputs, results)),
                Race.Repeat(times, () => OneByOne(memory, inputs, results)));
            double total = (double)Small * bytes * times / 1e9;
            Console.WriteLine($"{Size(bytes),-22}{total / best[0],9:F2}{total / best[1],13:F2}{best[1] / best[0],10:F1}");
        }
    }

    public static void Incremental(int rounds, byte* memory)
    {
        const int length = 500_000_000;
        var content = new Span<byte>(memory, length);
        var tree = new GroupTree();
        tree.Resize(length);
        Action build = () => SetAll(tree, new ReadOnlySpan<byte>(memory, length));
        double[] whole = Race.Run(3, build, () => Blake3.Hash(new ReadOnlySpan<byte>(memory, length)));
        // Places far from each other, so that neither group nor path is in the nearest caches.
        int[] places = [.. Enumerable.Range(0, Updates).Select(i => (int)((long)i * 7919 % tree.GroupCount))];
        foreach (int group in places)
        {
            content[group * Blake3.GroupBytes + 4096]++;
        }
        double best = Race.Run(rounds, () => Array.ForEach(places, group => Update(tree, new ReadOnlySpan<byte>(memory, length), group)))[0] / Updates;
        bool equal = tree.Root() == Blake3.Hash(content);
        Console.WriteLine($"\n4 KiB overwritten in 500 MB: {best * 1e6:F1} us (the group anew, and the path), mean of {Updates}; " +
            $"all groups {whole[0] * 1e3:F0} ms, hash of the whole {whole[1] * 1e3:F0} ms; {(equal ? "equal" : "WRONG")}");
        Check(equal, "the incremental root is wrong");
    }

    public static string Size(long bytes) =>
        bytes >= 1 << 30 ? $"{bytes >> 30} GiB" : bytes >= 1 << 20 ? $"{bytes >> 20} MiB" : bytes >= 1 << 10 ? $"{bytes >> 10} KiB" : $"{bytes} B";

    private static void Check(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new InvalidOperationException(otherwise);
        }
    }

    private static void OneByOne(byte* memory, ByteRange[] inputs, Blake3Hash[] results)
    {
        for (int i = 0; i < inputs.Length; i++)
        {
            results[i] = Blake3.Hash(new ReadOnlySpan<byte>(memory + inputs[i].Start, inputs[i].Length));
        }
    }

    private static void Update(GroupTree tree, ReadOnlySpan<byte> content, int group)
    {
        tree.SetGroup(group, content.Slice(group * Blake3.GroupBytes, tree.GroupLength(group)));
        tree.Root();
    }

    private static void SetAll(GroupTree tree, ReadOnlySpan<byte> content)
    {
        for (int i = 0; i < tree.GroupCount; i++)
        {
            tree.SetGroup(i, content.Slice(i * Blake3.GroupBytes, tree.GroupLength(i)));
        }
        tree.Root();
    }
}
