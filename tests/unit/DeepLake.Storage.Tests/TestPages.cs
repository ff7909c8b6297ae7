// SPDX-License-Identifier: MPL-2.0
using System.Buffers.Binary;

namespace DeepLake.Storage.Tests;

/// <summary>Pages whose every byte follows from id and version.</summary>
internal static class TestPages
{
    internal static byte[] Make(ulong id, int version)
    {
        var page = new byte[4096];
        ulong x = (id * 0x9e3779b97f4a7c15UL) ^ ((ulong)(uint)version << 32) ^ (uint)version;
        for (int i = 8; i < page.Length; i += 8)
        {
            x = (x ^ (x >> 27)) * 0x94d049bb133111ebUL + (ulong)i;
            BinaryPrimitives.WriteUInt64LittleEndian(page.AsSpan(i), x);
        }
        return page;
    }
}
