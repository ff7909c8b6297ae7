// SPDX-License-Identifier: MPL-2.0
using System.CommandLine;
using DeepLake.Control;
using DeepLake.Lakectl.Output;

namespace DeepLake.Lakectl.Commands;

/// <summary><c>lakectl metrics</c></summary>
internal static class MetricsShow
{
    internal static Command Create()
    {
        Option<bool> json = CommandRunner.JsonOption();
        var command = new Command("metrics", "Print the running daemon's numbers in Prometheus' text format") { json };
        command.SetAction(parsed =>
        {
            bool isJson = parsed.GetValue(json);
            Request request = CommandRunner.NewRequest();
            request.Metrics = new MetricsRequest();
            return CommandRunner.Daemon(request, isJson, result => Show(result.Metrics, isJson));
        });
        return command;
    }

    private static int Show(Metrics metrics, bool json)
    {
        if (json)
        {
            JsonLine.Write("metrics", w => w.WriteString("text", metrics.Text));
            return 0;
        }
        Console.Write(metrics.Text);
        return 0;
    }
}
