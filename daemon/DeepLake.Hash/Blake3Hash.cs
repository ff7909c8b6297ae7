// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Hash;

/// <summary>
/// 32 bytes: the BLAKE3 hash of a content, or the chaining value of a part of one. The two are not
/// told apart by their bytes; a value of a part is never the hash of a content.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct Blake3Hash : IEquatable<Blake3Hash>
{
    public const int SizeBytes = 32;

    private readonly ulong _word0;
    private readonly ulong _word1;
    private readonly ulong _word2;
    private readonly ulong _word3;

    /// <summary>From its 32 bytes.</summary>
    public static Blake3Hash Read(ReadOnlySpan<byte> bytes) => MemoryMarshal.Read<Blake3Hash>(bytes);

    /// <summary>Writes the 32 bytes.</summary>
    public void CopyTo(Span<byte> bytes) => MemoryMarshal.Write(bytes, in this);

    public bool Equals(Blake3Hash other) =>
        ((_word0 ^ other._word0) | (_word1 ^ other._word1) | (_word2 ^ other._word2) | (_word3 ^ other._word3)) == 0;

    public override bool Equals(object? obj) => obj is Blake3Hash other && Equals(other);

    public override int GetHashCode() => (int)_word0;

    /// <summary>64 hexadecimal digits, as <c>b3sum</c> prints them.</summary>
    public override string ToString() => Convert.ToHexStringLower(MemoryMarshal.AsBytes(new ReadOnlySpan<Blake3Hash>(in this)));

    public static bool operator ==(Blake3Hash left, Blake3Hash right) => left.Equals(right);

    public static bool operator !=(Blake3Hash left, Blake3Hash right) => !left.Equals(right);
}
