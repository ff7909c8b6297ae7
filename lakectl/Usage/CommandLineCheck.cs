// SPDX-License-Identifier: MPL-2.0
using System.CommandLine;

namespace DeepLake.Lakectl.Usage;

/// <summary>
/// Finds the word of a command line that nobody knows. The parser cannot say it: a word that begins with
/// a dash may be a name to it, so that it takes an unknown option for the device and blames the device.
/// </summary>
internal static class CommandLineCheck
{
    private const string EndOfOptions = "--";

    // An option may have its value attached, after either.
    private static readonly char[] ValueMarks = ['=', ':'];

    /// <summary>What is wrong, and what comes before --help; null when each word is known.</summary>
    internal static (string Problem, string HelpOf)? Find(RootCommand root, IReadOnlyList<string> words)
    {
        Command command = root;
        for (int i = 0; i < words.Count && words[i] != EndOfOptions; i++)
        {
            string word = words[i];
            if (word.Length > 1 && word[0] == '-')
            {
                if (!IsKnown(root, command, word, out bool needsNext))
                {
                    return (Unknown(root, command, word, words.Skip(i + 1)), HelpName(root, command));
                }
                if (HasNeedlessValue(root, command, word))
                {
                    return ($"The option {NameOf(word)} takes no value.", HelpName(root, command));
                }
                // Its value is the next word, whatever that begins with, unless it is an option itself.
                i += needsNext && i + 1 < words.Count && !IsKnown(root, command, words[i + 1], out _) ? 1 : 0;
            }
            else if (command == root && word.Length > 0)
            {
                if (root.Subcommands.FirstOrDefault(c => c.Name == word) is not { } found)
                {
                    string? near = Nearest.Of(word, root.Subcommands.Select(c => c.Name));
                    return ($"There is no command {word}{Guess(near)}.", HelpName(root, root));
                }
                command = found;
            }
        }
        return null;
    }

    private static string HelpName(RootCommand root, Command command) => command == root ? "lakectl" : $"lakectl {command.Name}";

    private static string Unknown(RootCommand root, Command command, string word, IEnumerable<string> rest)
    {
        string name = NameOf(word);
        if (command == root && rest.Select(w => root.Subcommands.FirstOrDefault(c => c.Name == w)).FirstOrDefault(c => c is not null) is { } later)
        {
            return IsKnown(root, later, word, out _)
                ? $"The option {name} belongs to {later.Name}: it comes after that word."
                : $"There is no option {name}{Guess(Nearest.Of(name, Names(later.Options)))}.";
        }
        string? near = Nearest.Of(name, Names(Known(root, command)));
        string dash = near is null && command.Arguments.Count > 0 ? "; a name that begins with a dash comes after --" : "";
        return $"There is no option {name}{Guess(near)}{dash}.";
    }

    private static string Guess(string? near) => near is null ? "" : $"; did you mean {near}?";

    private static IEnumerable<Option> Known(RootCommand root, Command command) =>
        command == root ? root.Options : command.Options.Concat(root.Options.Where(o => o.Recursive));

    private static IEnumerable<string> Names(IEnumerable<Option> options) =>
        options.SelectMany(o => o.Aliases.Append(o.Name)).Where(n => n.StartsWith("--", StringComparison.Ordinal));

    private static bool Has(Option option, string name) => option.Name == name || option.Aliases.Contains(name);

    private static string NameOf(string word)
    {
        int end = word.IndexOfAny(ValueMarks);
        return end < 0 ? word : word[..end];
    }

    private static bool HasNeedlessValue(RootCommand root, Command command, string word)
    {
        string name = NameOf(word);
        return name != word && Known(root, command).Any(o => Has(o, name) && !TakesValue(o)) && !bool.TryParse(word[(name.Length + 1)..], out _);
    }

    private static bool TakesValue(Option option) => option.Arity.MinimumNumberOfValues > 0;

    // An option, or letters that were put together: -fL NAME, -n5.
    private static bool IsKnown(RootCommand root, Command command, string word, out bool needsNext)
    {
        string name = NameOf(word);
        Option[] known = [.. Known(root, command)];
        if (known.FirstOrDefault(o => Has(o, name)) is { } whole)
        {
            needsNext = TakesValue(whole) && name == word;
            return true;
        }
        needsNext = false;
        for (int i = 1; i < word.Length && !word.StartsWith("--", StringComparison.Ordinal); i++)
        {
            if (known.FirstOrDefault(o => Has(o, $"-{word[i]}")) is not { } letter)
            {
                return false;
            }
            bool isLast = i == word.Length - 1;
            if (TakesValue(letter) || isLast)
            {
                needsNext = TakesValue(letter) && isLast;
                return true;
            }
        }
        return false;
    }
}
