// SPDX-License-Identifier: MPL-2.0
using System.Globalization;

namespace DeepLake.Sim;

/// <summary>Seeds that once found something, from cases.txt beside this file: seed, store, what it was.</summary>
public static class SimCases
{
    /// <summary>Each { seed, store }.</summary>
    public static IEnumerable<object[]> All()
    {
        using Stream stream = typeof(SimCases).Assembly.GetManifestResourceStream("cases.txt")!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 1 && words[0] != "#")
            {
                yield return [int.Parse(words[0], CultureInfo.InvariantCulture), Enum.Parse<StoreKind>(words[1], ignoreCase: true)];
            }
        }
    }
}
