// SPDX-License-Identifier: MPL-2.0
using System.CommandLine;
using DeepLake.Control;
using DeepLake.Lakectl.Commands;
using DeepLake.Lakectl.Output;

var root = new RootCommand("Makes, fills, inspects and checks DeepLake filesystems.");
root.Subcommands.Add(Mkfs.Create());
root.Subcommands.Add(Import.Create());
root.Subcommands.Add(StatsShow.Create());
root.Subcommands.Add(Verify.Create());
root.Subcommands.Add(LogsShow.Create());

ParseResult parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    string name = parsed.CommandResult.Command == root ? "lakectl" : $"lakectl {parsed.CommandResult.Command.Name}";
    Messages.Error(string.Join(" ", parsed.Errors.Select(e => e.Message)), $"see {name} --help");
    return (int)ErrorCode.ErrorUsage;
}
return parsed.Invoke();
