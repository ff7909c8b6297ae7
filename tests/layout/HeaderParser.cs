// SPDX-License-Identifier: MPL-2.0
using System.Text.RegularExpressions;

namespace DeepLake.Layout.Tests;

/// <summary>
/// Reads the small part of C that the headers of proto/ use. Whatever it does not understand is an
/// error, so that nothing in a header can escape the comparison.
/// </summary>
internal sealed partial class HeaderParser
{
    public Dictionary<string, List<CField>> Structs { get; } = [];

    public List<string> EnumMembers { get; } = [];

    /// <summary>Object-like macros; the include guards are not among them.</summary>
    public List<string> Constants { get; } = [];

    public List<string> FunctionMacros { get; } = [];

    public void Parse(string path)
    {
        string text = Comment().Replace(File.ReadAllText(path), " ").Replace("\\\n", " ");
        text = ReadDirectives(text);
        text = StructDefinition().Replace(text, ReadStruct);
        text = EnumDefinition().Replace(text, ReadEnum);
        text = Typedef().Replace(text, "");
        text = CheckMacroUse().Replace(text, "");
        if (text.Trim().Length != 0)
        {
            throw new FormatException($"{path}: not understood: {text.Trim()}");
        }
    }

    private string ReadDirectives(string text)
    {
        var rest = new List<string>();
        foreach (string line in text.Split('\n'))
        {
            if (!line.TrimStart().StartsWith('#'))
            {
                rest.Add(line);
                continue;
            }
            Match define = Define().Match(line);
            if (!define.Success)
            {
                if (!OtherDirective().IsMatch(line))
                {
                    throw new FormatException($"directive not understood: {line}");
                }
            }
            else if (define.Groups["open"].Length > 0)
            {
                FunctionMacros.Add(define.Groups["name"].Value);
            }
            else if (define.Groups["value"].Value.Trim().Length > 0)
            {
                Constants.Add(define.Groups["name"].Value);
            }
        }
        return string.Join('\n', rest);
    }

    private string ReadStruct(Match match)
    {
        var fields = new List<CField>();
        string rest = FieldDefinition().Replace(match.Groups["body"].Value, field =>
        {
            int count = field.Groups["count"].Success ? int.Parse(field.Groups["count"].Value) : 0;
            fields.Add(new CField(field.Groups["type"].Value, field.Groups["struct"].Success, field.Groups["name"].Value, count));
            return "";
        });
        if (rest.Trim().Length != 0)
        {
            throw new FormatException($"struct {match.Groups["name"].Value}: not understood: {rest.Trim()}");
        }
        Structs.Add(match.Groups["name"].Value, fields);
        return "";
    }

    private string ReadEnum(Match match)
    {
        foreach (string member in match.Groups["body"].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            Match m = EnumMember().Match(member);
            if (!m.Success)
            {
                throw new FormatException($"enum member not understood: {member}");
            }
            EnumMembers.Add(m.Groups["name"].Value);
        }
        return "";
    }

    [GeneratedRegex(@"/\*.*?\*/", RegexOptions.Singleline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"^\s*#\s*define\s+(?<name>\w+)(?<open>\(?)(?<value>.*)$")]
    private static partial Regex Define();

    [GeneratedRegex(@"^\s*#\s*(ifdef|ifndef|if|else|endif|include)\b")]
    private static partial Regex OtherDirective();

    [GeneratedRegex(@"\bstruct\s+(?<name>\w+)\s*\{(?<body>[^{}]*)\}\s*;")]
    private static partial Regex StructDefinition();

    [GeneratedRegex(@"\benum\s+\w+\s*\{(?<body>[^{}]*)\}\s*;")]
    private static partial Regex EnumDefinition();

    [GeneratedRegex(@"(?<struct>struct\s+)?(?<type>\w+)\s+(?<name>\w+)(\[(?<count>\d+)\])?\s*;")]
    private static partial Regex FieldDefinition();

    [GeneratedRegex(@"^(?<name>\w+)\s*(=\s*[\w+\-()<| ]+)?$")]
    private static partial Regex EnumMember();

    [GeneratedRegex(@"\btypedef\s+u?int\d+_t\s+__[us]\d+\s*;")]
    private static partial Regex Typedef();

    [GeneratedRegex(@"\b(LAKEFS_CHECK_SIZE|LAKEFS_CHECK_OFFSET|_Static_assert)\s*\((?:[^()]|\([^()]*\))*\)\s*;")]
    private static partial Regex CheckMacroUse();
}
