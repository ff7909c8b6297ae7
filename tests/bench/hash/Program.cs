// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Hash;
using DeepLake.Hash.Bench;

// Hashing and chunking beside Debian's b3sum, one thread: `make bench-hash [ROUNDS=15] [CORPUS=FILE]`.
int rounds = args.Length > 0 ? int.Parse(args[0]) : 15;
const int length = (1 << 30) + (1 << 20);
unsafe
{
    byte* memory = (byte*)NativeMemory.AlignedAlloc(length, 4096);
    new Random(1).NextBytes(new Span<byte>(memory, length));
    Console.WriteLine($"back end {Blake3.Backend}; best of {rounds} runs of each, taking turns");
    HashRows.Memory(rounds, memory);
    HashRows.Files(rounds, memory);
    HashRows.Batches(rounds, memory);
    HashRows.Incremental(rounds, memory);
    ChunkRows.Speed(rounds, memory, 256 << 20);
    ChunkRows.Dedup("random bytes", new ReadOnlySpan<byte>(memory, 128 << 20).ToArray());
    if (args.Length > 1)
    {
        using FileStream corpus = File.OpenRead(args[1]);
        byte[] content = new byte[Math.Min(corpus.Length, 512 << 20)];
        corpus.ReadExactly(content);
        ChunkRows.Dedup(Path.GetFileName(args[1]), content);
    }
}
