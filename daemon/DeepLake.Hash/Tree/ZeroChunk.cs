// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Hash.Tree;

/// <summary>One chunk of zeros for all the chunks of a hole: it stays in the processor's nearest cache.</summary>
internal static unsafe class ZeroChunk
{
    public static byte* Address { get; } = Make();

    private static byte* Make()
    {
        byte* zeros = (byte*)NativeMemory.AlignedAlloc(TreeHasher.ChunkBytes, 64);
        NativeMemory.Clear(zeros, TreeHasher.ChunkBytes);
        return zeros;
    }
}
