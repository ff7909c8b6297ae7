// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Hash.Kernels;

/// <summary>
/// Up to sixteen inputs of different lengths, one for each lane. Every lane is read as far as the
/// longest goes, so shorter ones must lie in memory that is there.
/// </summary>
internal unsafe struct LaneJobs
{
    public const int Lanes = 16;

    /// <summary>Addresses of the inputs.</summary>
    public fixed ulong Inputs[Lanes];

    public fixed uint CounterLow[Lanes];

    public fixed uint CounterHigh[Lanes];

    /// <summary>Blocks of each input, at least 1.</summary>
    public fixed uint Blocks[Lanes];

    /// <summary>Bytes in its last block; the rest of the block is zero.</summary>
    public fixed uint LastBytes[Lanes];

    /// <summary>Flags of its last block.</summary>
    public fixed uint LastFlags[Lanes];

    public BlockFlags Flags;
}
