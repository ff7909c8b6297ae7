// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace DeepLake.Hash.Kernels;

/// <summary>
/// The compression function of BLAKE3 (paper, section 2.2) on one input and on many, in one of the ways
/// a processor can do it. Kernels have no state; all of them give the same values.
/// </summary>
internal abstract unsafe class HashKernel
{
    public const int BlockBytes = 64;
    public const int HashBytes = 32;

    /// <summary>How many inputs <see cref="HashMany"/> takes at most.</summary>
    public const int MaxInputs = 16;

    public static HashKernel Scalar { get; } = new ScalarKernel();

    /// <summary>Null where the processor cannot do it.</summary>
    public static HashKernel? Avx2Only { get; } = Avx2.IsSupported ? new Avx2Kernel() : null;

    /// <summary>Null where the processor cannot do it.</summary>
    public static HashKernel? Avx512 { get; } = Avx512F.IsSupported && Avx512F.VL.IsSupported ? new Avx512Kernel() : null;

    /// <summary>The fastest here.</summary>
    public static HashKernel Best { get; } = Avx512 ?? Avx2Only ?? Scalar;

    public abstract string Name { get; }

    /// <summary>
    /// Compresses one block into the chaining value <paramref name="state"/> (8 words, in place).
    /// The block is 64 bytes, zero after <paramref name="blockBytes"/>.
    /// </summary>
    public abstract void Compress(uint* state, byte* block, uint blockBytes, ulong counter, uint flags);

    /// <summary>
    /// 1 to 16 inputs of <paramref name="blocks"/> whole blocks each; their counters ascend by
    /// <paramref name="step"/>. Writes 32 bytes for each; result i may overwrite inputs up to the i-th.
    /// </summary>
    /// <param name="ahead">Bytes to fetch into the cache ahead of each input; 0 where nothing follows.</param>
    public abstract void HashMany(byte** inputs, int count, int blocks, ulong counter, uint step, BlockFlags flags, nuint ahead, byte* results);

    /// <summary>Sixteen lanes, whatever their lengths up to <paramref name="blocks"/>; 16 × 32 bytes of results.</summary>
    public abstract void HashRagged(LaneJobs* jobs, int blocks, byte* results);

    /// <summary>One input of whole blocks after the other. The results may lie where the inputs do, before them.</summary>
    protected void HashOneByOne(byte** inputs, int count, int blocks, ulong counter, uint step, BlockFlags flags, byte* results)
    {
        uint* state = stackalloc uint[8];
        for (int i = 0; i < count; i++)
        {
            Blake3Iv.CopyTo(state);
            uint flag = flags.First;
            for (int block = 0; block < blocks; block++)
            {
                flag |= block == blocks - 1 ? flags.Last : 0;
                Compress(state, inputs[i] + BlockBytes * block, BlockBytes, counter + (ulong)step * (uint)i, flag);
                flag = flags.Every;
            }
            Unsafe.CopyBlockUnaligned(results + HashBytes * i, state, HashBytes);
        }
    }
}
