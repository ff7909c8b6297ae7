// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DeepLake.Hash.Kernels;

/// <summary>
/// Sixteen inputs at once; single blocks with the state as four rows and the whole message in one
/// vector, which a permutation brings into the order of the next round.
/// </summary>
internal sealed unsafe class Avx512Kernel : HashKernel
{
    public override string Name => "avx512";

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Compress(uint* state, byte* block, uint blockBytes, ulong counter, uint flags)
    {
        Vector512<uint> next = RowOrder.Next;
        Vector512<uint> m = Avx512F.PermuteVar16x32(Vector512.Load((uint*)block), RowOrder.First);
        Vector128<uint> a = Vector128.Load(state);
        Vector128<uint> b = Vector128.Load(state + 4);
        Vector128<uint> c = Vector128.Create(Blake3Iv.Word0, Blake3Iv.Word1, Blake3Iv.Word2, Blake3Iv.Word3);
        Vector128<uint> d = Vector128.Create((uint)counter, (uint)(counter >> 32), blockBytes, flags);
        Round(ref a, ref b, ref c, ref d, m);
        m = Avx512F.PermuteVar16x32(m, next);
        Round(ref a, ref b, ref c, ref d, m);
        m = Avx512F.PermuteVar16x32(m, next);
        Round(ref a, ref b, ref c, ref d, m);
        m = Avx512F.PermuteVar16x32(m, next);
        Round(ref a, ref b, ref c, ref d, m);
        m = Avx512F.PermuteVar16x32(m, next);
        Round(ref a, ref b, ref c, ref d, m);
        m = Avx512F.PermuteVar16x32(m, next);
        Round(ref a, ref b, ref c, ref d, m);
        m = Avx512F.PermuteVar16x32(m, next);
        Round(ref a, ref b, ref c, ref d, m);
        (a ^ c).Store(state);
        (b ^ d).Store(state + 4);
    }

    [SkipLocalsInit]
    public override void HashMany(byte** inputs, int count, int blocks, ulong counter, uint step, BlockFlags flags, nuint ahead, byte* results)
    {
        if (count == MaxInputs)
        {
            Avx512Lanes16.Hash(inputs, blocks, counter, step, flags, ahead, results);
            return;
        }
        if (count == 1)
        {
            HashOneByOne(inputs, count, blocks, counter, step, flags, results);
            return;
        }
        byte* whole = stackalloc byte[MaxInputs * HashBytes];
        byte** padded = stackalloc byte*[MaxInputs];
        for (int i = 0; i < MaxInputs; i++)
        {
            padded[i] = inputs[Math.Min(i, count - 1)];
        }
        if (count > 8)
        {
            Avx512Lanes16.Hash(padded, blocks, counter, step, flags, 0, whole);
        }
        else if (count > Avx512Rows4.Inputs)
        {
            Avx512Lanes8.Hash(padded, blocks, counter, step, flags, whole);
        }
        else
        {
            Avx512Rows4.Hash(padded, blocks, counter, step, flags, whole);
        }
        Unsafe.CopyBlockUnaligned(results, whole, (uint)(count * HashBytes));
    }

    public override void HashRagged(LaneJobs* jobs, int blocks, byte* results) => Avx512Lanes16.HashRagged(jobs, blocks, results);

    // Columns, then diagonals: rows a, c and d are turned so that b may stay.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(ref Vector128<uint> a, ref Vector128<uint> b, ref Vector128<uint> c, ref Vector128<uint> d, Vector512<uint> m)
    {
        Mix(ref a, ref b, ref c, ref d, m.GetLower().GetLower(), Avx512F.ExtractVector128(m, 1));
        a = Sse2.Shuffle(a, 0x93);
        d = Sse2.Shuffle(d, 0x4E);
        c = Sse2.Shuffle(c, 0x39);
        Mix(ref a, ref b, ref c, ref d, Avx512F.ExtractVector128(m, 2), Avx512F.ExtractVector128(m, 3));
        a = Sse2.Shuffle(a, 0x39);
        d = Sse2.Shuffle(d, 0x4E);
        c = Sse2.Shuffle(c, 0x93);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix(ref Vector128<uint> a, ref Vector128<uint> b, ref Vector128<uint> c, ref Vector128<uint> d, Vector128<uint> x, Vector128<uint> y)
    {
        a = a + x + b;
        d = Avx512F.VL.RotateRight(d ^ a, 16);
        c += d;
        b = Avx512F.VL.RotateRight(b ^ c, 12);
        a = a + y + b;
        d = Avx512F.VL.RotateRight(d ^ a, 8);
        c += d;
        b = Avx512F.VL.RotateRight(b ^ c, 7);
    }
}
