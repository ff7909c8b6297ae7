// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;
using NUnit.Framework;

namespace DeepLake.Storage.Tests;

[TestFixture]
public sealed class Crc32CTests
{
    [Test]
    public void Compute_GivesTheStandardCheckValue() =>
        Assert.That(Crc32C.Compute("123456789"u8), Is.EqualTo(0xE3069283u));

    [Test]
    public void Compute_OfNothing_IsZero() => Assert.That(Crc32C.Compute([]), Is.Zero);

    [Test]
    public void Compute_MatchesTheBitwiseDefinition_AtEveryLengthAroundTheFastPath()
    {
        var data = new byte[7000];
        new Random(1).NextBytes(data);
        int[] lengths = [.. Enumerable.Range(0, 80), 3071, 3072, 3073, 4095, 4096, 6143, 6144, 6145, 7000];
        foreach (int length in lengths)
        {
            ReadOnlySpan<byte> part = data.AsSpan(0, length);
            Assert.That(Crc32C.Compute(part), Is.EqualTo(Bitwise(part)), $"length {length}");
        }
    }

    [Test]
    public void Update_InPieces_EqualsOneCall([Values(1, 8, 100, 3072, 5000)] int cut)
    {
        var data = new byte[9000];
        new Random(2).NextBytes(data);
        uint state = Crc32C.Update(Crc32C.Update(uint.MaxValue, data.AsSpan(0, cut)), data.AsSpan(cut));
        Assert.That(~state, Is.EqualTo(Crc32C.Compute(data)));
    }

    private static uint Bitwise(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in data)
        {
            crc ^= b;
            for (int i = 0; i < 8; i++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
            }
        }
        return ~crc;
    }
}
