// SPDX-License-Identifier: MPL-2.0
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DeepLake.Hash.Chunking;

/// <summary>
/// The gear hash at every byte of a part, with AVX-512: sixteen stretches of the part side by side, one
/// in each lane. As the hash forgets all but 32 bytes, a lane may begin in the middle when it is given
/// the bytes before.
/// </summary>
internal static unsafe class GearLanes
{
    private const int Lanes = 16;
    private const int StepBytes = 64;

    // Not a multiple of 4 KiB, so that the lanes' lines do not fall into the same sets of the cache.
    private const int MaxStretchBytes = 4096 + StepBytes;

    /// <summary>Less is not worth it.</summary>
    public const int MinBytes = Lanes * 4 * StepBytes;

    /// <summary>How much of so many bytes <see cref="Find"/> takes at once.</summary>
    public static int PartBytes(int bytes) => Lanes * Math.Min(MaxStretchBytes, bytes / Lanes / StepBytes * StepBytes);

    /// <summary>Bytes of the part up to the candidate, its own included.</summary>
    public static int EndOf(uint candidate) => (int)(candidate >> 1);

    public static bool IsStrict(uint candidate) => (candidate & 1) != 0;

    /// <summary>
    /// All places where the hash has no bit of <paramref name="loose"/>, in order. <paramref name="hash"/>
    /// is the one before the part, then the one after it.
    /// </summary>
    /// <returns>Their number; -1 when there are more than <paramref name="candidates"/> can hold.</returns>
    [SkipLocalsInit]
    public static int Find(ReadOnlySpan<byte> part, ref uint hash, uint loose, uint strict, Span<uint> candidates)
    {
        byte* space = stackalloc byte[sizeof(Step) + StepBytes];
        var step = (Step*)(((nuint)space + StepBytes - 1) & ~(nuint)(StepBytes - 1));
        int count = 0;
        fixed (byte* data = part)
        {
            Begin(data, part.Length / Lanes, hash, step);
            while (Next(data, part.Length / Lanes, ~loose, step))
            {
                count = NoteStep(step, loose, strict, part.Length / Lanes, candidates, count);
                if (count < 0)
                {
                    return -1;
                }
            }
        }
        hash = step->After.GetElement(Lanes - 1);
        candidates[..count].Sort();
        return count;
    }

    // 64 bytes of each stretch: their words, the hash before each word and after the last one, and (a bit each) the words
    // in which a hash fits.
    private struct Step
    {
        public fixed byte Words[Lanes * StepBytes];
        public fixed byte Before[Lanes * StepBytes];
        public Vector512<uint> After;
        public int At;
        public uint Fits;

        public static Vector512<uint>* WordsOf(Step* step) => (Vector512<uint>*)step->Words;

        public static Vector512<uint>* BeforeOf(Step* step) => (Vector512<uint>*)step->Before;
    }

    // The hash before each stretch, from the bytes before it; the first lane's is known.
    private static void Begin(byte* data, int stretch, uint hash, Step* step)
    {
        Vector512<uint> low = Vector512.LoadUnsafe(ref Gear.Table[0]);
        Vector512<uint> high = Vector512.LoadUnsafe(ref Gear.Table[Lanes]);
        Vector512<uint>* words = Step.WordsOf(step);
        Vector512<uint> h = Vector512<uint>.Zero;
        Load(data, data + stretch - StepBytes, (nuint)stretch, words);
        for (int i = Lanes / 2; i < Lanes; i++)
        {
            Vector512<uint> x = Fold(words[i]);
            h = h + h + Avx512F.PermuteVar16x32x2(low, x, high);
            h = h + h + Avx512F.PermuteVar16x32x2(low, x >>> 8, high);
            h = h + h + Avx512F.PermuteVar16x32x2(low, x >>> 16, high);
            h = h + h + Avx512F.PermuteVar16x32x2(low, x >>> 24, high);
        }
        step->After = h.WithElement(0, hash);
        step->At = -StepBytes;
    }

    // Of the bytes of words. A permutation looks at the lowest five bits of an index, so what the shift brings over from
    // the next byte is left where it is.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Fold(Vector512<uint> words) => words ^ (words >>> 3);

    // Goes on to the next step in which a hash fits; false when there is none. Calls nothing, as no vector would stay in
    // its register over a call: that made it half as fast.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static bool Next(byte* data, int stretch, uint mostOfLoose, Step* step)
    {
        Vector512<uint> low = Vector512.LoadUnsafe(ref Gear.Table[0]);
        Vector512<uint> high = Vector512.LoadUnsafe(ref Gear.Table[Lanes]);
        // the loose mask is of the upper bits: a hash has none of them exactly if it is not above this
        Vector512<uint> most = Vector512.Create(mostOfLoose);
        Vector512<uint>* words = Step.WordsOf(step);
        Vector512<uint>* before = Step.BeforeOf(step);
        Vector512<uint> h = step->After;
        int at = step->At + StepBytes;
        uint fits = 0;
        for (; at < stretch && fits == 0; at += StepBytes)
        {
            Load(data + at, data + at + stretch, (nuint)stretch, words);
            FetchNext(data + Lanes * stretch + at, (nuint)stretch);
            for (int i = 0; i < Lanes; i++)
            {
                before[i] = h;
                Vector512<uint> x = Fold(words[i]);
                Vector512<uint> g0 = Avx512F.PermuteVar16x32x2(low, x, high);
                Vector512<uint> g1 = Avx512F.PermuteVar16x32x2(low, x >>> 8, high);
                Vector512<uint> g2 = Avx512F.PermuteVar16x32x2(low, x >>> 16, high);
                Vector512<uint> g3 = Avx512F.PermuteVar16x32x2(low, x >>> 24, high);
                // From one word's hash to the next it is four operations, not eight: where each takes two cycles, they
                // are what one waits for.
                Vector512<uint> h0 = h + h + g0;
                Vector512<uint> h1 = (h << 2) + (g0 + g0 + g1);
                Vector512<uint> h2 = h1 + h1 + g2;
                h = (h1 << 2) + (g2 + g2 + g3);
                Vector512<uint> least = Vector512.Min(Vector512.Min(h0, h1), Vector512.Min(h2, h));
                if (Vector512.LessThanOrEqualAny(least, most))
                {
                    fits |= 1u << i;
                }
            }
        }
        step->After = h;
        step->At = at - StepBytes;
        step->Fits = fits;
        return fits != 0;
    }

    // What the next part will have here: stretches are about a page each, which is too short for the processor to see.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FetchNext(byte* data, nuint stretch)
    {
        for (int lane = 0; lane < Lanes; lane += 4)
        {
            Sse.Prefetch1(data);
            Sse.Prefetch1(data + stretch);
            Sse.Prefetch1(data + 2 * stretch);
            Sse.Prefetch1(data + 3 * stretch);
            data += 4 * stretch;
        }
    }

    private static int NoteStep(Step* step, uint loose, uint strict, int stretch, Span<uint> candidates, int count)
    {
        Vector512<uint> low = Vector512.LoadUnsafe(ref Gear.Table[0]);
        Vector512<uint> high = Vector512.LoadUnsafe(ref Gear.Table[Lanes]);
        for (uint fits = step->Fits; fits != 0 && count >= 0; fits &= fits - 1)
        {
            int i = BitOperations.TrailingZeroCount(fits);
            int end = step->At + 4 * i + 1;
            Vector512<uint> h = Step.BeforeOf(step)[i];
            Vector512<uint> x = Fold(Step.WordsOf(step)[i]);
            for (int k = 0; k < 4; k++)
            {
                h = h + h + Avx512F.PermuteVar16x32x2(low, x, high);
                x >>>= 8;
                count = Note(h, loose, strict, end + k, stretch, candidates, count);
            }
        }
        return count;
    }

    private static int Note(Vector512<uint> hashes, uint loose, uint strict, int end, int stretch, Span<uint> candidates, int count)
    {
        ulong fits = Vector512.Equals(hashes & Vector512.Create(loose), Vector512<uint>.Zero).ExtractMostSignificantBits();
        ulong fitsStrictly = Vector512.Equals(hashes & Vector512.Create(strict), Vector512<uint>.Zero).ExtractMostSignificantBits();
        for (; fits != 0 && count >= 0; fits &= fits - 1)
        {
            int lane = BitOperations.TrailingZeroCount(fits);
            uint isStrict = (uint)(fitsStrictly >> lane) & 1;
            if (count == candidates.Length)
            {
                return -1;
            }
            candidates[count++] = (uint)(end + lane * stretch) << 1 | isStrict;
        }
        return count;
    }

    // 64 bytes of each stretch, transposed: word i holds bytes 4i to 4i+3 of all. The first lane lies apart.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Load(byte* first, byte* second, nuint stretch, Vector512<uint>* words)
    {
        Quarter(first, second, second + stretch, second + 2 * stretch, out var a0, out var a1, out var a2, out var a3);
        second += 3 * stretch;
        Quarter(second, second + stretch, second + 2 * stretch, second + 3 * stretch, out var b0, out var b1, out var b2, out var b3);
        second += 4 * stretch;
        Quarter(second, second + stretch, second + 2 * stretch, second + 3 * stretch, out var c0, out var c1, out var c2, out var c3);
        second += 4 * stretch;
        Quarter(second, second + stretch, second + 2 * stretch, second + 3 * stretch, out var d0, out var d1, out var d2, out var d3);
        Join(a0, b0, c0, d0, words);
        Join(a1, b1, c1, d1, words + 1);
        Join(a2, b2, c2, d2, words + 2);
        Join(a3, b3, c3, d3, words + 3);
    }

    // Four stretches: each result's 128-bit lane k holds word 4k + its number of the four.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Quarter(
        byte* p0, byte* p1, byte* p2, byte* p3,
        out Vector512<uint> r0, out Vector512<uint> r1, out Vector512<uint> r2, out Vector512<uint> r3)
    {
        Vector512<uint> a = Vector512.Load((uint*)p0);
        Vector512<uint> b = Vector512.Load((uint*)p1);
        Vector512<uint> c = Vector512.Load((uint*)p2);
        Vector512<uint> d = Vector512.Load((uint*)p3);
        Vector512<ulong> ab0 = Avx512F.UnpackLow(a, b).AsUInt64();
        Vector512<ulong> ab1 = Avx512F.UnpackHigh(a, b).AsUInt64();
        Vector512<ulong> cd0 = Avx512F.UnpackLow(c, d).AsUInt64();
        Vector512<ulong> cd1 = Avx512F.UnpackHigh(c, d).AsUInt64();
        r0 = Avx512F.UnpackLow(ab0, cd0).AsUInt32();
        r1 = Avx512F.UnpackHigh(ab0, cd0).AsUInt32();
        r2 = Avx512F.UnpackLow(ab1, cd1).AsUInt32();
        r3 = Avx512F.UnpackHigh(ab1, cd1).AsUInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Join(Vector512<uint> a, Vector512<uint> b, Vector512<uint> c, Vector512<uint> d, Vector512<uint>* words)
    {
        Vector512<uint> ab02 = Avx512F.Shuffle4x128(a, b, 0x88);
        Vector512<uint> ab13 = Avx512F.Shuffle4x128(a, b, 0xDD);
        Vector512<uint> cd02 = Avx512F.Shuffle4x128(c, d, 0x88);
        Vector512<uint> cd13 = Avx512F.Shuffle4x128(c, d, 0xDD);
        words[0] = Avx512F.Shuffle4x128(ab02, cd02, 0x88);
        words[4] = Avx512F.Shuffle4x128(ab13, cd13, 0x88);
        words[8] = Avx512F.Shuffle4x128(ab02, cd02, 0xDD);
        words[12] = Avx512F.Shuffle4x128(ab13, cd13, 0xDD);
    }
}
