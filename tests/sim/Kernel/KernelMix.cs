// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Sim;

/// <summary>What the programs above a <see cref="SimKernel"/> do: weights of the operations, and bounds.</summary>
internal sealed record KernelMix
{
    public int Create { get; init; } = 5;

    public int CreateDirectory { get; init; } = 1;

    public int CreateTemporary { get; init; } = 1;

    public int Link { get; init; } = 1;

    public int Unlink { get; init; } = 2;

    public int Rename { get; init; } = 2;

    public int SetAttributes { get; init; } = 1;

    public int Xattr { get; init; } = 1;

    public int Map { get; init; } = 4;

    public int Overwrite { get; init; } = 1;

    public int Punch { get; init; } = 1;

    public int Reflink { get; init; } = 4;

    public int Shift { get; init; } = 2;

    public int Copy { get; init; } = 2;

    public int Move { get; init; } = 4;

    /// <summary>How often the daemon packs: in so many of 10 rounds at most.</summary>
    public int Pack { get; init; } = 4;

    public int Release { get; init; } = 1;

    /// <summary>With so many inodes unlinking comes instead of creating.</summary>
    public int MaxInodes { get; init; } = int.MaxValue;

    public int MaxXattrBytes { get; init; } = 5000;

    public int MaxMapBlocks { get; init; } = 32;

    public int LeaseBlocks { get; init; } = 200;
}
