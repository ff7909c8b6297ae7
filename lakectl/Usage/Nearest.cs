// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Lakectl.Usage;

/// <summary>The known word that somebody most likely meant.</summary>
internal static class Nearest
{
    private const int MinPrefix = 3;

    /// <summary>Null when none is near: a wrong guess is worse than none.</summary>
    internal static string? Of(string word, IEnumerable<string> known)
    {
        string[] words = [.. known];
        string[] begun = [.. words.Where(w => word.Length >= MinPrefix && w.StartsWith(word, StringComparison.Ordinal))];
        if (begun.Length == 1)
        {
            return begun[0];
        }
        (string Word, int Distance) best = words
            .Select(w => (w, Distance(word.ToLowerInvariant(), w)))
            .OrderBy(p => p.Item2)
            .FirstOrDefault(("", int.MaxValue));
        return best.Distance <= Allowed(best.Word) ? best.Word : null;
    }

    private static int Allowed(string word) => word.TrimStart('-').Length switch
    {
        <= 2 => 0,
        <= 5 => 1,
        _ => 2,
    };

    /// <summary>Letters to add, take away, change, or swap with their neighbour (restricted Damerau-Levenshtein).</summary>
    internal static int Distance(string a, string b)
    {
        int[,] d = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            for (int j = 0; j <= b.Length; j++)
            {
                d[i, j] = i == 0 || j == 0 ? i + j : Math.Min(
                    Math.Min(d[i - 1, j], d[i, j - 1]) + 1,
                    d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
                }
            }
        }
        return d[a.Length, b.Length];
    }
}
