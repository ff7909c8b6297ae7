// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using DeepLake.Hash.Kernels;

namespace DeepLake.Hash.Tree;

/// <summary>Parents of any trees, compressed when there are as many as the kernel has lanes.</summary>
internal sealed unsafe class PairQueue(HashKernel kernel, BlockFlags flags)
{
    private readonly ulong[] _pairs = GC.AllocateArray<ulong>(HashKernel.MaxInputs, pinned: true);
    private readonly ulong[] _results = new ulong[HashKernel.MaxInputs];
    private readonly Blake3Hash[] _made = GC.AllocateArray<Blake3Hash>(HashKernel.MaxInputs, pinned: true);
    private int _count;

    /// <summary>Two values that lie side by side; the result is written at the latest by <see cref="Flush"/>.</summary>
    public void Add(byte* pair, byte* result)
    {
        _pairs[_count] = (ulong)pair;
        _results[_count] = (ulong)result;
        if (++_count == HashKernel.MaxInputs)
        {
            Flush();
        }
    }

    public void Flush()
    {
        if (_count == 0)
        {
            return;
        }
        fixed (ulong* pairs = _pairs)
        fixed (Blake3Hash* made = _made)
        {
            kernel.HashMany((byte**)pairs, _count, 1, 0, 0, flags, 0, (byte*)made);
        }
        for (int i = 0; i < _count; i++)
        {
            Unsafe.WriteUnaligned((void*)_results[i], _made[i]);
        }
        _count = 0;
    }
}
