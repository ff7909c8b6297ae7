// SPDX-License-Identifier: MPL-2.0
using System.CommandLine;
using DeepLake.Control;
using DeepLake.Lakectl.Commands;
using DeepLake.Lakectl.Files;
using DeepLake.Lakectl.Output;
using DeepLake.Lakectl.Usage;

// Before anything is written: to what was not given nothing is.
Console.SetError(Descriptor.IsClosed(Descriptor.Error) ? TextWriter.Null : new ErrorWriter(Console.Error));
if (Descriptor.IsClosed(Descriptor.Output))
{
    Messages.Error(Descriptor.OutputClosedMessage, Descriptor.OutputClosedAdvice);
    return (int)ErrorCode.ErrorGeneral;
}

var root = new RootCommand("Makes, fills, inspects and checks DeepLake filesystems.");
root.Subcommands.Add(Mkfs.Create());
root.Subcommands.Add(Import.Create());
root.Subcommands.Add(StatsShow.Create());
root.Subcommands.Add(Verify.Create());
root.Subcommands.Add(Scrub.Create());
root.Subcommands.Add(Gc.Create());
root.Subcommands.Add(HealthShow.Create());
root.Subcommands.Add(Repair.Create());
root.Subcommands.Add(Watch.Create());
root.Subcommands.Add(LogsShow.Create());
root.Subcommands.Add(MetricsShow.Create());
root.Subcommands.Add(Hash.Create());
NotedCommand.ShowNotes(root);

// A script that reads JSON reads of its own mistakes too.
bool isJson = args.TakeWhile(a => a != "--").Contains("--json");
if (CommandLineCheck.Find(root, args) is var (problem, helpOf))
{
    return CommandRunner.Fail(ErrorCode.ErrorUsage, problem, $"see {helpOf} --help", isJson);
}
// A name may begin with @: it is no file of arguments.
ParseResult parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
IEnumerable<string> errors = parsed.Errors.Select(e => e.Message);
// A variable that was not set in somebody's script.
if (parsed.CommandResult.Tokens.Any(t => t.Value.Length == 0))
{
    errors = errors.Append("A name is empty.");
}
if (errors.Any())
{
    string name = parsed.CommandResult.Command == root ? "lakectl" : $"lakectl {parsed.CommandResult.Command.Name}";
    return CommandRunner.Fail(ErrorCode.ErrorUsage, string.Join(" ", errors), $"see {name} --help", isJson);
}
try
{
    return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (UnauthorizedAccessException e)
{
    return CommandRunner.Fail(ErrorCode.ErrorGeneral, e.Message, "try again as root, or as the file's owner", isJson);
}
catch (IOException e)
{
    // every command names what it reads; what is left is what it says
    Messages.Error($"the output cannot be written: {e.Message}", "look where it goes: a full device, or a closed descriptor");
    return (int)ErrorCode.ErrorGeneral;
}
