// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Hash;
using DeepLake.Hash.Bench;

// Hashing and chunking beside Debian's b3sum, one thread: see tests/bench/README.md.
// Arguments: how often each is run, the parts to run (all when left out or empty), a file to find duplicates in.
int rounds = args.Length > 0 ? int.Parse(args[0]) : 15;
string[] parts = args.Length > 1 ? args[1].Split(' ', StringSplitOptions.RemoveEmptyEntries) : [];
const int length = (1 << 30) + (1 << 20);
bool Wanted(string part) => parts.Length == 0 || parts.Contains(part);
unsafe
{
    byte* memory = (byte*)NativeMemory.AlignedAlloc(length, 4096);
    new Random(1).NextBytes(new Span<byte>(memory, length));
    Console.WriteLine($"back end {Blake3.Backend}; processor time, best of {rounds} runs of each, taking turns");
    (string Name, Action Run)[] all =
    [
        ("incremental", () => HashRows.Incremental(rounds, memory)),
        ("chunks", () => ChunkRows.Speed(rounds, memory, 64 << 20)),
        ("batches", () => HashRows.Batches(rounds, memory)),
        ("memory", () => HashRows.Memory(rounds, memory)),
        ("files", () => HashRows.Files(rounds, memory)),
    ];
    foreach ((string _, Action run) in all.Where(part => Wanted(part.Name)))
    {
        run();
    }
}
if (args.Length > 2)
{
    using FileStream corpus = File.OpenRead(args[2]);
    byte[] content = new byte[Math.Min(corpus.Length, 512 << 20)];
    corpus.ReadExactly(content);
    ChunkRows.Dedup(Path.GetFileName(args[2]), content);
}
