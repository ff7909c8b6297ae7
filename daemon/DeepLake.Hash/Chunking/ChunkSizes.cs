// SPDX-License-Identifier: MPL-2.0
using System.Numerics;

namespace DeepLake.Hash.Chunking;

/// <summary>
/// How large chunks are. They are part of the cut definition (docs/chunking.md): other sizes give other
/// cuts.
/// </summary>
public sealed record ChunkSizes
{
    /// <summary>Those of the lake.</summary>
    public static ChunkSizes Lake { get; } = new(8 << 10, 32 << 10, 128 << 10);

    /// <param name="min">No chunk is shorter, except the last of a content; at least the gear's window.</param>
    /// <param name="normal">From here on cuts are easier; a power of two from 1 KiB to 1 MiB.</param>
    /// <param name="max">No chunk is longer.</param>
    public ChunkSizes(int min, int normal, int max)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(min, Gear.WindowBytes);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(normal, min);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(max, normal);
        ArgumentOutOfRangeException.ThrowIfLessThan(normal, 1 << 10);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(normal, 1 << 20);
        ArgumentOutOfRangeException.ThrowIfNotEqual(BitOperations.IsPow2(normal), true);
        (Min, Normal, Max) = (min, normal, max);
        int bits = BitOperations.Log2((uint)normal);
        StrictMask = Gear.TopBits(bits + 2);
        LooseMask = Gear.TopBits(bits - 2);
    }

    public int Min { get; }

    public int Normal { get; }

    public int Max { get; }

    /// <summary>Bits that are zero at a cut before <see cref="Normal"/>.</summary>
    internal uint StrictMask { get; }

    /// <summary>Bits that are zero at a cut from <see cref="Normal"/> on; some of the strict ones.</summary>
    internal uint LooseMask { get; }
}
