// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using DeepLake.Hash.Kernels;

namespace DeepLake.Hash.Tree;

/// <summary>Chunks of any inputs, compressed when there are as many as the kernel has lanes.</summary>
internal sealed unsafe class LaneQueue(HashKernel kernel)
{
    private readonly LaneJobs[] _jobs = MakeJobs();
    private readonly ulong[] _results = new ulong[LaneJobs.Lanes];
    private readonly Blake3Hash[] _made = GC.AllocateArray<Blake3Hash>(LaneJobs.Lanes, pinned: true);
    private int _blocks;

    public int Count { get; private set; }

    /// <summary>
    /// A chunk of 0 to 1024 bytes, of which as many blocks as the longest of those that wait has must be
    /// readable; its last block ends in zeros.
    /// </summary>
    public void Add(byte* data, int bytes, ulong counter, uint lastFlags, byte* result)
    {
        int blocks = Math.Max(1, (bytes + HashKernel.BlockBytes - 1) / HashKernel.BlockBytes);
        ref LaneJobs jobs = ref _jobs[0];
        jobs.Inputs[Count] = (ulong)data;
        jobs.CounterLow[Count] = (uint)counter;
        jobs.CounterHigh[Count] = (uint)(counter >> 32);
        jobs.Blocks[Count] = (uint)blocks;
        jobs.LastBytes[Count] = (uint)(bytes - HashKernel.BlockBytes * (blocks - 1));
        jobs.LastFlags[Count] = lastFlags;
        _results[Count] = (ulong)result;
        _blocks = Math.Max(_blocks, blocks);
        if (++Count == LaneJobs.Lanes)
        {
            Flush();
        }
    }

    public void Flush()
    {
        if (Count == 0)
        {
            return;
        }
        ref LaneJobs jobs = ref _jobs[0];
        for (int lane = Count; lane < LaneJobs.Lanes; lane++)
        {
            jobs.Inputs[lane] = jobs.Inputs[0];
            jobs.Blocks[lane] = 1;
        }
        fixed (LaneJobs* pinned = _jobs)
        fixed (Blake3Hash* made = _made)
        {
            kernel.HashRagged(pinned, _blocks, (byte*)made);
        }
        for (int lane = 0; lane < Count; lane++)
        {
            Unsafe.WriteUnaligned((void*)_results[lane], _made[lane]);
        }
        Count = 0;
        _blocks = 0;
    }

    private static LaneJobs[] MakeJobs()
    {
        LaneJobs[] jobs = GC.AllocateArray<LaneJobs>(1, pinned: true);
        jobs[0].Flags = BlockFlags.OpenChunk;
        return jobs;
    }
}
