// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;
using System.Globalization;
using DeepLake.Platform;

namespace DeepLake.Sim;

/// <summary>The command behind <c>make sim</c>, <c>make sim-soak</c> and <c>make sim-planted</c>.</summary>
internal static class Program
{
    private const string Usage = """
        sim seed N [faster]
        sim soak FROM COUNT LOG [faster]
        sim planted COUNT [FAULT]
        """;

    private const int SeedsPerLine = 1000;

    private static int Main(string[] args)
    {
        StoreKind store = args.Contains("faster") ? StoreKind.Faster : StoreKind.Twin;
        return args switch
        {
            ["seed", string seed, ..] => One(Number(seed), store),
            ["soak", string from, string count, string log, ..] => Soak(Number(from), Number(count), log, store),
            ["planted", string count, .. string[] faults] => FindPlanted(Number(count), faults),
            _ => Refuse(),
        };
    }

    private static int Refuse()
    {
        Console.Error.WriteLine(Usage);
        return 2;
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static int One(int seed, StoreKind store)
    {
        SeedResult result = SeedResult.Of(seed, store, Console.WriteLine);
        Console.WriteLine($"seed {seed}, {result.Kind}: {result.Finding ?? (result.IsRefused ? "refused, rightly" : "nothing found")}, {result.Hash:x16}");
        return result.Finding is null ? 0 : 1;
    }

    /// <summary>A line of the log for each thousand: a soak that is stopped has counted what it did.</summary>
    private static int Soak(int from, int count, string log, StoreKind store)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(log))!);
        int findings = 0;
        for (int at = from; at < from + count; at += SeedsPerLine)
        {
            int seeds = Math.Min(SeedsPerLine, from + count - at);
            var clock = Stopwatch.StartNew();
            SeedResult[] results = RunAll(at, seeds, store);
            findings += results.Count(r => r.Finding is not null);
            string line = Describe(results, store, clock.Elapsed.TotalSeconds);
            Console.WriteLine(line);
            File.AppendAllText(log, line + "\n");
        }

        Console.WriteLine($"{count} seeds, {findings} findings");
        return findings == 0 ? 0 : 1;
    }

    private static SeedResult[] RunAll(int from, int count, StoreKind store)
    {
        var results = new SeedResult[count];
        Parallel.For(0, count, i =>
        {
            results[i] = SeedResult.Of(from + i, store);
            if (results[i].Finding is { } finding)
            {
                Console.WriteLine($"seed {from + i}: {finding}\n  {Replay.Command(from + i, store)}");
            }
        });
        return results;
    }

    private static string Describe(SeedResult[] results, StoreKind store, double seconds)
    {
        SeedResult[] bad = [.. results.Where(r => r.Finding is not null)];
        string kinds = string.Join(", ", results.GroupBy(r => r.Kind).OrderBy(g => g.Key).Select(g => $"{g.Count()} {g.Key}"));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{DateTime.UtcNow:u} {store} seeds {results[0].Seed}..{results[^1].Seed}: {bad.Length} findings, {results.Count(r => r.IsRefused)} refused rightly, {results.Sum(r => r.Identities)} identities, {results.Sum(r => r.Shares)} shares ({results.Sum(r => r.SkewedShares)} within blocks), {results.Sum(r => r.Remaps)} remaps ({results.Sum(r => r.Unpackings)} out of packs), {results.Sum(r => r.DamagedPacks)} damaged packs and {results.Sum(r => r.Scrubbed)} scrubbed blocks, {seconds:f0} s, {results.Length / seconds:f1} seeds/s ({kinds}){string.Concat(bad.Select(b => $" {b.Seed}"))}");
    }

    private static int FindPlanted(int count, string[] names)
    {
        int missed = 0;
        foreach (PlantedFault fault in Enum.GetValues<PlantedFault>())
        {
            if (fault != PlantedFault.None && (names.Length == 0 || names.Contains(fault.ToString())))
            {
                missed += Find(fault, count) ? 0 : 1;
            }
        }

        return missed == 0 ? 0 : 1;
    }

    private static bool Find(PlantedFault fault, int count)
    {
        SeedResult? first = PlantedSearch.First(fault, 1, count);
        Console.WriteLine($"{fault,-34} {(first is null ? $"not found in {count} seeds" : $"seed {first.Seed}: {first.Finding}")}");
        return first is not null;
    }

    private static ParallelOptions Options() => new() { MaxDegreeOfParallelism = Environment.ProcessorCount };
}
