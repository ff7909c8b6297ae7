// SPDX-License-Identifier: MPL-2.0
using System.Numerics;
using System.Runtime.CompilerServices;

namespace DeepLake.Hash.Kernels;

/// <summary>One word at a time, as the paper writes it (sections 2.2 and 2.3). Little-endian processors.</summary>
internal sealed unsafe class ScalarKernel : HashKernel
{
    private const int Rounds = 7;

    // The order of the message words in each round: the permutation of table 2 applied again and again.
    private static ReadOnlySpan<byte> Schedule =>
    [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8,
        3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1,
        10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6,
        12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4,
        9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7,
        11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13,
    ];

    public override string Name => "scalar";

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Compress(uint* state, byte* block, uint blockBytes, ulong counter, uint flags)
    {
        uint v0 = state[0], v1 = state[1], v2 = state[2], v3 = state[3];
        uint v4 = state[4], v5 = state[5], v6 = state[6], v7 = state[7];
        uint v8 = Blake3Iv.Word0, v9 = Blake3Iv.Word1, v10 = Blake3Iv.Word2, v11 = Blake3Iv.Word3;
        uint v12 = (uint)counter, v13 = (uint)(counter >> 32), v14 = blockBytes, v15 = flags;
        uint* m = (uint*)block;
        fixed (byte* schedule = Schedule)
        {
            for (byte* s = schedule; s < schedule + 16 * Rounds; s += 16)
            {
                Mix(ref v0, ref v4, ref v8, ref v12, m[s[0]], m[s[1]]);
                Mix(ref v1, ref v5, ref v9, ref v13, m[s[2]], m[s[3]]);
                Mix(ref v2, ref v6, ref v10, ref v14, m[s[4]], m[s[5]]);
                Mix(ref v3, ref v7, ref v11, ref v15, m[s[6]], m[s[7]]);
                Mix(ref v0, ref v5, ref v10, ref v15, m[s[8]], m[s[9]]);
                Mix(ref v1, ref v6, ref v11, ref v12, m[s[10]], m[s[11]]);
                Mix(ref v2, ref v7, ref v8, ref v13, m[s[12]], m[s[13]]);
                Mix(ref v3, ref v4, ref v9, ref v14, m[s[14]], m[s[15]]);
            }
        }
        state[0] = v0 ^ v8;
        state[1] = v1 ^ v9;
        state[2] = v2 ^ v10;
        state[3] = v3 ^ v11;
        state[4] = v4 ^ v12;
        state[5] = v5 ^ v13;
        state[6] = v6 ^ v14;
        state[7] = v7 ^ v15;
    }

    public override void HashMany(byte** inputs, int count, int blocks, ulong counter, uint step, BlockFlags flags, nuint ahead, byte* results) =>
        HashOneByOne(inputs, count, blocks, counter, step, flags, results);

    public override void HashRagged(LaneJobs* jobs, int blocks, byte* results)
    {
        for (int lane = 0; lane < LaneJobs.Lanes; lane++)
        {
            uint* state = (uint*)(results + HashBytes * lane);
            Blake3Iv.CopyTo(state);
            ulong counter = (ulong)jobs->CounterHigh[lane] << 32 | jobs->CounterLow[lane];
            uint flag = jobs->Flags.First;
            int last = (int)jobs->Blocks[lane] - 1;
            for (int block = 0; block <= last; block++)
            {
                bool isLast = block == last;
                flag |= isLast ? jobs->LastFlags[lane] : 0;
                uint bytes = isLast ? jobs->LastBytes[lane] : BlockBytes;
                Compress(state, (byte*)jobs->Inputs[lane] + BlockBytes * block, bytes, counter, flag);
                flag = jobs->Flags.Every;
            }
        }
    }

    // The quarter round G.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix(ref uint a, ref uint b, ref uint c, ref uint d, uint x, uint y)
    {
        a += b + x;
        d = BitOperations.RotateRight(d ^ a, 16);
        c += d;
        b = BitOperations.RotateRight(b ^ c, 12);
        a += b + y;
        d = BitOperations.RotateRight(d ^ a, 8);
        c += d;
        b = BitOperations.RotateRight(b ^ c, 7);
    }
}
