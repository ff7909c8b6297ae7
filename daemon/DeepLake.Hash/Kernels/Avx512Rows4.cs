// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DeepLake.Hash.Kernels;

/// <summary>
/// Four inputs at once, AVX-512: each vector holds one row of the four states. It takes as long as one
/// input, since what one waits for is each operation's result.
/// </summary>
internal static unsafe class Avx512Rows4
{
    public const int Inputs = 4;

    /// <summary>Four inputs of the same number of whole blocks, counters ascending by a step. Results: 32 bytes for each, in order.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Hash(byte** inputs, int blocks, ulong counter, uint step, BlockFlags flags, byte* results)
    {
        Vector512<uint> next = RowOrder.Next;
        Vector512<uint> iv = Rows(Blake3Iv.Word0, Blake3Iv.Word1, Blake3Iv.Word2, Blake3Iv.Word3);
        Vector512<uint> a = iv;
        Vector512<uint> b = Rows(Blake3Iv.Word4, Blake3Iv.Word5, Blake3Iv.Word6, Blake3Iv.Word7);
        byte* p0 = inputs[0];
        byte* p1 = inputs[1];
        byte* p2 = inputs[2];
        byte* p3 = inputs[3];
        Vector512<ulong> counters = Vector512.Create(counter, 0, counter + step, 0, counter + 2UL * step, 0, counter + 3UL * step, 0);
        uint flag = flags.First;
        for (int block = 1; block <= blocks; block++)
        {
            flag |= block == blocks ? flags.Last : 0;
            Vector512<uint> m0 = Avx512F.PermuteVar16x32(Vector512.Load((uint*)p0), RowOrder.First);
            Vector512<uint> m1 = Avx512F.PermuteVar16x32(Vector512.Load((uint*)p1), RowOrder.First);
            Vector512<uint> m2 = Avx512F.PermuteVar16x32(Vector512.Load((uint*)p2), RowOrder.First);
            Vector512<uint> m3 = Avx512F.PermuteVar16x32(Vector512.Load((uint*)p3), RowOrder.First);
            Vector512<uint> c = iv;
            Vector512<uint> d = counters.AsUInt32() | Rows(0, 0, HashKernel.BlockBytes, flag);
            Round(ref a, ref b, ref c, ref d, m0, m1, m2, m3);
            for (int round = 1; round < 7; round++)
            {
                m0 = Avx512F.PermuteVar16x32(m0, next);
                m1 = Avx512F.PermuteVar16x32(m1, next);
                m2 = Avx512F.PermuteVar16x32(m2, next);
                m3 = Avx512F.PermuteVar16x32(m3, next);
                Round(ref a, ref b, ref c, ref d, m0, m1, m2, m3);
            }
            a ^= c;
            b ^= d;
            flag = flags.Every;
            p0 += HashKernel.BlockBytes;
            p1 += HashKernel.BlockBytes;
            p2 += HashKernel.BlockBytes;
            p3 += HashKernel.BlockBytes;
        }
        Vector512<ulong> first = Avx512F.PermuteVar8x64x2(a.AsUInt64(), Vector512.Create(0ul, 1, 8, 9, 2, 3, 10, 11), b.AsUInt64());
        Vector512<ulong> second = Avx512F.PermuteVar8x64x2(a.AsUInt64(), Vector512.Create(4ul, 5, 12, 13, 6, 7, 14, 15), b.AsUInt64());
        first.Store((ulong*)results);
        second.Store((ulong*)results + 8);
    }

    private static Vector512<uint> Rows(uint x, uint y, uint z, uint w) => Vector512.Create(x, y, z, w, x, y, z, w, x, y, z, w, x, y, z, w);

    // As in Avx512Kernel: the messages of the four inputs, of which one quarter each goes into a step.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(
        ref Vector512<uint> a, ref Vector512<uint> b, ref Vector512<uint> c, ref Vector512<uint> d,
        Vector512<uint> m0, Vector512<uint> m1, Vector512<uint> m2, Vector512<uint> m3)
    {
        Vector512<uint> columns01 = Avx512F.Shuffle4x128(m0, m1, 0x44);
        Vector512<uint> columns23 = Avx512F.Shuffle4x128(m2, m3, 0x44);
        Vector512<uint> diagonals01 = Avx512F.Shuffle4x128(m0, m1, 0xEE);
        Vector512<uint> diagonals23 = Avx512F.Shuffle4x128(m2, m3, 0xEE);
        Mix(ref a, ref b, ref c, ref d, Avx512F.Shuffle4x128(columns01, columns23, 0x88), Avx512F.Shuffle4x128(columns01, columns23, 0xDD));
        a = Avx512F.Shuffle(a, 0x93);
        d = Avx512F.Shuffle(d, 0x4E);
        c = Avx512F.Shuffle(c, 0x39);
        Mix(ref a, ref b, ref c, ref d, Avx512F.Shuffle4x128(diagonals01, diagonals23, 0x88), Avx512F.Shuffle4x128(diagonals01, diagonals23, 0xDD));
        a = Avx512F.Shuffle(a, 0x39);
        d = Avx512F.Shuffle(d, 0x4E);
        c = Avx512F.Shuffle(c, 0x93);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix(ref Vector512<uint> a, ref Vector512<uint> b, ref Vector512<uint> c, ref Vector512<uint> d, Vector512<uint> x, Vector512<uint> y)
    {
        a = a + x + b;
        d = Avx512F.RotateRight(d ^ a, 16);
        c += d;
        b = Avx512F.RotateRight(b ^ c, 12);
        a = a + y + b;
        d = Avx512F.RotateRight(d ^ a, 8);
        c += d;
        b = Avx512F.RotateRight(b ^ c, 7);
    }
}
