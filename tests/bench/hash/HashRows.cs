// SPDX-License-Identifier: MPL-2.0
using DeepLake.Hash.Kernels;

namespace DeepLake.Hash.Bench;

/// <summary>Hashing: sizes from 64 bytes to 1 GiB, in memory by each back end, and files beside b3sum.</summary>
internal static unsafe class HashRows
{
    private const int Small = 256;

    public static void Memory(int rounds, byte* memory)
    {
        HashKernel[] kernels = [.. new[] { HashKernel.Avx512, HashKernel.Avx2Only, HashKernel.Scalar }.OfType<HashKernel>()];
        Console.WriteLine($"\nin memory, GB/s       {string.Join("", kernels.Select(k => $"{k.Name,10}"))}");
        foreach (int bytes in new[] { 64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 1 << 20, 16 << 20, 1 << 30 })
        {
            int times = Math.Max(1, (4 << 20) / Math.Max(bytes, 1 << 10));
            Action[] contestants = [.. kernels.Select(k => Race.Repeat(times, () => Blake3.Hash(k, new ReadOnlySpan<byte>(memory, bytes))))];
            double[] best = Race.Run(bytes >= 1 << 30 ? 3 : rounds, contestants);
            Console.WriteLine($"{Size(bytes),-22}{string.Join("", best.Select(t => $"{bytes * (double)times / t / 1e9,10:F2}"))}   {best[0] / times * 1e9:F0} ns");
        }
    }

    public static void Files(int rounds, byte* memory)
    {
        using var peer = new B3sum();
        var content = new ReadOnlySpan<byte>(memory, (1 << 30) + 4096);
        Console.WriteLine("\nfiles in memory, GB/s      here     b3sum     ratio");
        foreach (int bytes in new[] { 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 16 << 20, 1 << 30 })
        {
            string[] files = peer.MakeFiles(bytes, 256 << 20, content);
            double[] best = Race.Run(bytes >= 1 << 30 ? Math.Min(rounds, 7) : rounds, peer.Start, () => peer.Hash(files), () => peer.HashHere(files));
            double total = (double)bytes * files.Length / 1e9;
            double theirs = best[1] - best[0];
            Console.WriteLine($"{files.Length,4} of {Size(bytes),-14}{total / best[2],10:F2}{total / theirs,10:F2}{theirs / best[2],10:F2}");
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
        var random = new Random(3);
        double best = double.MaxValue;
        double sum = 0;
        int count = 20 * rounds;
        for (int i = 0; i < count; i++)
        {
            int at = random.Next(length / 4096) * 4096;
            random.NextBytes(content.Slice(at, 4096));
            int group = at / Blake3.GroupBytes;
            double took = Race.Run(1, () => Update(tree, new ReadOnlySpan<byte>(memory, length), group))[0];
            best = Math.Min(best, took);
            sum += took;
        }
        bool equal = tree.Root() == Blake3.Hash(content);
        Console.WriteLine($"\n4 KiB overwritten in 500 MB: best {best * 1e6:F1} us, mean {sum / count * 1e6:F1} us of {count} (group anew and path); " +
            $"all groups {whole[0] * 1e3:F0} ms, hash of the whole {whole[1] * 1e3:F0} ms; {(equal ? "equal" : "WRONG")}");
        if (!equal)
        {
            throw new InvalidOperationException("the incremental root is wrong");
        }
    }

    public static string Size(long bytes) =>
        bytes >= 1 << 30 ? $"{bytes >> 30} GiB" : bytes >= 1 << 20 ? $"{bytes >> 20} MiB" : bytes >= 1 << 10 ? $"{bytes >> 10} KiB" : $"{bytes} B";

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
            Update(tree, content, i);
        }
    }
}
