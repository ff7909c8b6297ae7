// SPDX-License-Identifier: MPL-2.0
using System.Runtime.Intrinsics;

namespace DeepLake.Hash.Kernels;

/// <summary>
/// The order of the sixteen message words when the state is four rows: words that four quarter rounds
/// need at the same time lie side by side (x of the columns, y of the columns, x of the diagonals, y of
/// the diagonals; the diagonals begin with the fourth, as row b is not turned).
/// </summary>
internal static class RowOrder
{
    /// <summary>From the order in the block: element i of the first round is word First[i].</summary>
    public static Vector512<uint> First => Vector512.Create(0u, 2, 4, 6, 1, 3, 5, 7, 14, 8, 10, 12, 15, 9, 11, 13);

    /// <summary>
    /// From one round to the next, both in this order: the permutation of table 2 of the paper, seen
    /// through <see cref="First"/> (element i is the place in First of permutation[First[i]]).
    /// </summary>
    public static Vector512<uint> Next => Vector512.Create(1u, 5, 7, 2, 3, 10, 0, 15, 12, 4, 11, 13, 9, 14, 6, 8);
}
