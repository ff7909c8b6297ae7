// SPDX-License-Identifier: MPL-2.0
using System.Globalization;
using System.Text;
using DeepLake.Abi;

namespace DeepLake.Laked.Import;

/// <summary>Numbers as tar headers and PAX records write them.</summary>
internal static class TarNumber
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>Octal digits, or GNU's base 256 when the first bit is set.</summary>
    internal static long Parse(ReadOnlySpan<byte> field)
    {
        if ((field[0] & 0x80) != 0)
        {
            return ParseBinary(field);
        }
        long value = 0;
        foreach (byte b in field.TrimStart((byte)' '))
        {
            if (b is 0 or (byte)' ')
            {
                break;
            }
            if (b is < (byte)'0' or > (byte)'7' || value > long.MaxValue >> 3)
            {
                throw new InvalidDataException("a header of the archive holds a malformed number");
            }
            value = (value << 3) | (uint)(b - '0');
        }
        return value;
    }

    internal static ulong ParseDecimal(ReadOnlySpan<byte> text) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) && value <= long.MaxValue
            ? value
            : throw new InvalidDataException($"the archive holds a malformed number: {Text.Of(text)}");

    /// <summary>Seconds with a fraction; negative before 1970.</summary>
    internal static LakeTime ParseTime(ReadOnlySpan<byte> text)
    {
        if (!decimal.TryParse(Encoding.ASCII.GetString(text), NumberStyles.Float, CultureInfo.InvariantCulture, out decimal value)
            || value is < long.MinValue / NanosecondsPerSecond or > uint.MaxValue * 1000m)
        {
            throw new InvalidDataException($"the archive holds a malformed time: {Text.Of(text)}");
        }
        decimal seconds = decimal.Floor(value);
        return new LakeTime { Sec = (long)seconds, Nsec = (uint)((value - seconds) * NanosecondsPerSecond) };
    }

    private static long ParseBinary(ReadOnlySpan<byte> field)
    {
        bool negative = (field[0] & 0x40) != 0;
        long value = negative ? -1 : 0;
        value = (value << 6) | (uint)(field[0] & 0x3f);
        foreach (byte b in field[1..])
        {
            if (value is > long.MaxValue >> 8 or < long.MinValue >> 8)
            {
                throw new InvalidDataException("a header of the archive holds a number that is too large");
            }
            value = (value << 8) | b;
        }
        return value;
    }
}
