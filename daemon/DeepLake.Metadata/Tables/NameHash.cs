// SPDX-License-Identifier: MPL-2.0
using System.Buffers.Binary;
using System.Numerics;

namespace DeepLake.Metadata.Tables;

/// <summary>
/// SipHash-1-3 (Aumasson and Bernstein, 2012) of a name, keyed with the lake's uuid: nobody can
/// prepare names that collide without knowing the lake. Part of the disk format.
/// </summary>
public readonly struct NameHash
{
    private readonly ulong _key0;
    private readonly ulong _key1;

    public NameHash(ReadOnlySpan<byte> uuid)
    {
        _key0 = BinaryPrimitives.ReadUInt64LittleEndian(uuid);
        _key1 = BinaryPrimitives.ReadUInt64LittleEndian(uuid[8..]);
    }

    public ulong Compute(ReadOnlySpan<byte> data)
    {
        ulong v0 = _key0 ^ 0x736f6d6570736575ul;
        ulong v1 = _key1 ^ 0x646f72616e646f6dul;
        ulong v2 = _key0 ^ 0x6c7967656e657261ul;
        ulong v3 = _key1 ^ 0x7465646279746573ul;
        ulong tail = (ulong)data.Length << 56;
        while (data.Length >= 8)
        {
            ulong word = BinaryPrimitives.ReadUInt64LittleEndian(data);
            v3 ^= word;
            Round(ref v0, ref v1, ref v2, ref v3);
            v0 ^= word;
            data = data[8..];
        }

        for (int i = 0; i < data.Length; i++)
        {
            tail |= (ulong)data[i] << (8 * i);
        }

        v3 ^= tail;
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= tail;
        v2 ^= 0xff;
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        return v0 ^ v1 ^ v2 ^ v3;
    }

    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v0 += v1;
        v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
        v0 = BitOperations.RotateLeft(v0, 32);
        v2 += v3;
        v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
        v0 += v3;
        v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
        v2 += v1;
        v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
        v2 = BitOperations.RotateLeft(v2, 32);
    }
}
