// SPDX-License-Identifier: MPL-2.0
using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace DeepLake.Lakectl.Usage;

/// <summary>A command whose own help has more to say than its line in the list of all commands.</summary>
internal sealed class NotedCommand(string name, string description, string notes) : Command(name, description)
{
    /// <summary>Has the help of such commands end with their notes.</summary>
    internal static void ShowNotes(RootCommand root)
    {
        foreach (HelpOption help in root.Options.OfType<HelpOption>())
        {
            help.Action = new NotedHelp((SynchronousCommandLineAction)help.Action!);
        }
    }

    private string Notes { get; } = notes;

    private sealed class NotedHelp(SynchronousCommandLineAction help) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            int status = help.Invoke(parseResult);
            if (parseResult.CommandResult.Command is NotedCommand command)
            {
                parseResult.InvocationConfiguration.Output.WriteLine(command.Notes);
            }
            return status;
        }
    }
}
