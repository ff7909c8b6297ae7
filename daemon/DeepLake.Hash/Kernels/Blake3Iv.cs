// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Hash.Kernels;

/// <summary>The initial value (BLAKE3 paper, table 1), which is that of SHA-256; it is also the key of the key-less mode.</summary>
internal static unsafe class Blake3Iv
{
    public const uint Word0 = 0x6A09E667;
    public const uint Word1 = 0xBB67AE85;
    public const uint Word2 = 0x3C6EF372;
    public const uint Word3 = 0xA54FF53A;
    public const uint Word4 = 0x510E527F;
    public const uint Word5 = 0x9B05688C;
    public const uint Word6 = 0x1F83D9AB;
    public const uint Word7 = 0x5BE0CD19;

    public static void CopyTo(uint* state)
    {
        state[0] = Word0;
        state[1] = Word1;
        state[2] = Word2;
        state[3] = Word3;
        state[4] = Word4;
        state[5] = Word5;
        state[6] = Word6;
        state[7] = Word7;
    }
}
