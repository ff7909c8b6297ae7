// SPDX-License-Identifier: MPL-2.0
using System.Globalization;

namespace DeepLake.Lakectl.Output;

/// <summary>Sizes as people write and read them: IEC units.</summary>
internal static class Sizes
{
    private const string Units = "KMGTPE";

    /// <summary>"1.5 GiB"; plain bytes when asked for.</summary>
    internal static string Format(ulong bytes, bool plain)
    {
        if (plain)
        {
            return bytes.ToString(CultureInfo.InvariantCulture);
        }
        if (bytes < 1024)
        {
            return $"{bytes} B";
        }
        double value = bytes;
        int unit = -1;
        while (value >= 1024 && unit < Units.Length - 1)
        {
            value /= 1024;
            unit++;
        }
        return string.Create(CultureInfo.InvariantCulture, $"{value:0.0} {Units[unit]}iB");
    }

    /// <summary>Reads "512M", "2GiB", "1.5T" or plain bytes.</summary>
    internal static bool TryParse(string text, out ulong bytes)
    {
        bytes = 0;
        string number = text.Trim();
        number = number.EndsWith("iB", StringComparison.OrdinalIgnoreCase) ? number[..^2] : number;
        ulong factor = 1;
        int unit = number.Length == 0 ? -1 : Units.IndexOf(char.ToUpperInvariant(number[^1]));
        if (unit >= 0)
        {
            factor = 1ul << (10 * (unit + 1));
            number = number[..^1];
        }
        if (!decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal value))
        {
            return false;
        }
        if (value <= 0 || value > (decimal)ulong.MaxValue / factor)
        {
            return false;
        }
        bytes = (ulong)(value * factor);
        return bytes > 0;
    }
}
