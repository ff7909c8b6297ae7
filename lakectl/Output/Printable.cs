// SPDX-License-Identifier: MPL-2.0
using System.Globalization;
using System.Text;

namespace DeepLake.Lakectl.Output;

/// <summary>
/// Text that somebody else chose (labels, names of files, messages of a device) as a terminal may see it:
/// characters that move its cursor, change its colours or turn the direction of writing are written as
/// escapes. JSON has escapes of its own.
/// </summary>
internal static class Printable
{
    internal static string Of(string text)
    {
        if (!text.EnumerateRunes().Any(MustBeEscaped))
        {
            return text;
        }
        var result = new StringBuilder(text.Length + 16);
        foreach (Rune rune in text.EnumerateRunes())
        {
            result.Append(MustBeEscaped(rune) ? Escape(rune) : rune.ToString());
        }
        return result.ToString();
    }

    private static bool MustBeEscaped(Rune rune) => Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    private static string Escape(Rune rune) => rune.Value switch
    {
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        <= 0xff => $"\\x{rune.Value:x2}",
        <= 0xffff => $"\\u{rune.Value:x4}",
        _ => $"\\U{rune.Value:x8}",
    };
}
