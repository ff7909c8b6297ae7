// SPDX-License-Identifier: MPL-2.0
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using DeepLake.Control;
using DeepLake.Lakectl.Output;

namespace DeepLake.Lakectl.Commands;

/// <summary><c>lakectl logs</c></summary>
internal static class LogsShow
{
    internal static Command Create()
    {
        var lines = new Option<uint>("--lines", "-n") { Description = "How many of the newest lines; 0 for all that are kept", DefaultValueFactory = _ => 50, CustomParser = ParseLines };
        Option<bool> json = CommandRunner.JsonOption();
        var command = new Command("logs", "Show the newest messages of the running daemon") { lines, json };
        command.SetAction(parsed =>
        {
            bool isJson = parsed.GetValue(json);
            Request request = CommandRunner.NewRequest();
            request.Logs = new LogsRequest { Lines = parsed.GetValue(lines) };
            return CommandRunner.Daemon(request, isJson, result => Show(result.Logs, isJson));
        });
        return command;
    }

    private static uint ParseLines(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (!uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint lines))
        {
            result.AddError($"--lines: {text} is no number of lines.");
        }
        return lines;
    }

    private static int Show(Logs logs, bool json)
    {
        if (json)
        {
            JsonLine.Write("logs", w =>
            {
                w.WriteNumber("dropped", logs.Dropped);
                w.WriteStrings("lines", logs.Lines);
            });
            return 0;
        }
        foreach (string line in logs.Lines)
        {
            Console.WriteLine(Printable.Of(line));
        }
        return 0;
    }
}
