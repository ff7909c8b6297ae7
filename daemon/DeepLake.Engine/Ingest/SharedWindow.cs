// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Ingest;

/// <summary>Blocks of the device in a row that several extents refer to, to be packed for all of them.</summary>
/// <param name="Start">The first of them.</param>
/// <param name="Blocks">Up to a pack's.</param>
public readonly record struct SharedWindow(ulong Start, uint Blocks)
{
    public ulong End => Start + Blocks;
}

/// <summary>What a file has in a pack.</summary>
/// <param name="Place">The first block, a place in packs.</param>
/// <param name="Blocks">How many.</param>
/// <param name="Ino">The file.</param>
/// <param name="FileBlock">Where it has the first of them.</param>
public readonly record struct PackUse(ulong Place, uint Blocks, ulong Ino, ulong FileBlock);

/// <summary>What refers to a window.</summary>
/// <param name="Window">Its number.</param>
/// <param name="Ino">The file.</param>
/// <param name="FileBlock">Where it has the first of the blocks.</param>
/// <param name="IsWhole">It has all of them there, one for one.</param>
public readonly record struct WindowUse(int Window, ulong Ino, ulong FileBlock, bool IsWhole);
