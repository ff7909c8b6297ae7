// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DeepLake.Hash.Kernels;

/// <summary>Eight inputs at once; single blocks with the state as four rows and the message in two vectors.</summary>
internal sealed unsafe class Avx2Kernel : HashKernel
{
    private const int Lanes = 8;

    // Fewer inputs are cheaper one by one.
    private const int MinEight = 3;

    public override string Name => "avx2";

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Compress(uint* state, byte* block, uint blockBytes, ulong counter, uint flags)
    {
        Vector256<uint> low = Vector256.Load((uint*)block);
        Vector256<uint> high = Vector256.Load((uint*)block + 8);
        Order(RowOrder.First, ref low, ref high);
        Vector128<uint> a = Vector128.Load(state);
        Vector128<uint> b = Vector128.Load(state + 4);
        Vector128<uint> c = Vector128.Create(Blake3Iv.Word0, Blake3Iv.Word1, Blake3Iv.Word2, Blake3Iv.Word3);
        Vector128<uint> d = Vector128.Create((uint)counter, (uint)(counter >> 32), blockBytes, flags);
        for (int round = 0; round < 6; round++)
        {
            Round(ref a, ref b, ref c, ref d, low, high);
            Order(RowOrder.Next, ref low, ref high);
        }
        Round(ref a, ref b, ref c, ref d, low, high);
        (a ^ c).Store(state);
        (b ^ d).Store(state + 4);
    }

    [SkipLocalsInit]
    public override void HashMany(byte** inputs, int count, int blocks, ulong counter, uint step, BlockFlags flags, nuint ahead, byte* results)
    {
        for (; count >= Lanes; count -= Lanes)
        {
            Avx2Lanes8.Hash(inputs, blocks, counter, step, flags, results);
            inputs += Lanes;
            counter += (ulong)step * Lanes;
            results += Lanes * HashBytes;
        }
        if (count < MinEight)
        {
            HashOneByOne(inputs, count, blocks, counter, step, flags, results);
            return;
        }
        byte* whole = stackalloc byte[Lanes * HashBytes];
        byte** padded = stackalloc byte*[Lanes];
        for (int i = 0; i < Lanes; i++)
        {
            padded[i] = inputs[Math.Min(i, count - 1)];
        }
        Avx2Lanes8.Hash(padded, blocks, counter, step, flags, whole);
        Unsafe.CopyBlockUnaligned(results, whole, (uint)(count * HashBytes));
    }

    public override void HashRagged(LaneJobs* jobs, int blocks, byte* results)
    {
        Avx2Lanes8.HashRagged(jobs, 0, blocks, results);
        Avx2Lanes8.HashRagged(jobs, Lanes, blocks, results + Lanes * HashBytes);
    }

    // Each word from one of the two halves: from both by the index modulo 8, then the right one of the two.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Order(Vector512<uint> order, ref Vector256<uint> low, ref Vector256<uint> high)
    {
        Vector256<uint> a = Pick(low, high, order.GetLower());
        high = Pick(low, high, order.GetUpper());
        low = a;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Pick(Vector256<uint> low, Vector256<uint> high, Vector256<uint> order) =>
        Vector256.ConditionalSelect(
            Vector256.GreaterThan(order.AsInt32(), Vector256.Create(7)).AsUInt32(),
            Avx2.PermuteVar8x32(high, order),
            Avx2.PermuteVar8x32(low, order));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(ref Vector128<uint> a, ref Vector128<uint> b, ref Vector128<uint> c, ref Vector128<uint> d, Vector256<uint> low, Vector256<uint> high)
    {
        Mix(ref a, ref b, ref c, ref d, low.GetLower(), low.GetUpper());
        a = Sse2.Shuffle(a, 0x93);
        d = Sse2.Shuffle(d, 0x4E);
        c = Sse2.Shuffle(c, 0x39);
        Mix(ref a, ref b, ref c, ref d, high.GetLower(), high.GetUpper());
        a = Sse2.Shuffle(a, 0x39);
        d = Sse2.Shuffle(d, 0x4E);
        c = Sse2.Shuffle(c, 0x93);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix(ref Vector128<uint> a, ref Vector128<uint> b, ref Vector128<uint> c, ref Vector128<uint> d, Vector128<uint> x, Vector128<uint> y)
    {
        Vector128<byte> by16 = Vector128.Create((byte)2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
        Vector128<byte> by8 = Vector128.Create((byte)1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12);
        a = a + x + b;
        d = Ssse3.Shuffle((d ^ a).AsByte(), by16).AsUInt32();
        c += d;
        b ^= c;
        b = (b >>> 12) | (b << 20);
        a = a + y + b;
        d = Ssse3.Shuffle((d ^ a).AsByte(), by8).AsUInt32();
        c += d;
        b ^= c;
        b = (b >>> 7) | (b << 25);
    }
}
