// SPDX-License-Identifier: MPL-2.0
using System.CommandLine;
using DeepLake.Control;
using DeepLake.Lakectl.Files;
using DeepLake.Lakectl.Output;

namespace DeepLake.Lakectl.Commands;

/// <summary><c>lakectl import</c></summary>
internal static class Import
{
    private const string StandardInputName = "-";

    internal static Command Create()
    {
        var source = new Argument<string>("SOURCE") { Description = "Directory, tar file, or - for a tar stream on standard input" };
        var device = new Argument<string>("DEVICE") { Description = "Block device or image file with a lake that is not mounted" };
        var resume = new Option<bool>("--resume") { Description = "Go on with an import that was interrupted" };
        Option<bool> json = CommandRunner.JsonOption();
        var command = new Command("import", "Copy an existing tree with all its metadata into a fresh lake") { source, device, resume, json };
        command.SetAction(parsed =>
        {
            string from = parsed.GetRequiredValue(source);
            bool isStream = from == StandardInputName;
            string name = parsed.GetRequiredValue(device);
            bool isJson = parsed.GetValue(json);
            if (CommandRunner.RefuseMounted(name, isJson) is { } status)
            {
                return status;
            }
            Request request = CommandRunner.NewRequest();
            request.Import = new ImportRequest
            {
                DevicePath = Path.GetFullPath(name),
                Source = isStream ? StandardInputName : Path.GetFullPath(from),
                Resume = parsed.GetValue(resume),
            };
            if (isStream && Descriptor.IsClosed(Descriptor.Input))
            {
                return CommandRunner.Fail(ErrorCode.ErrorGeneral, Descriptor.InputClosedMessage, Descriptor.InputClosedAdvice, isJson);
            }
            using Stream? data = isStream ? Console.OpenStandardInput() : null;
            return CommandRunner.OneShot(request, isJson, result => Show(result.Import, isJson), data);
        });
        return command;
    }

    private static int Show(ImportResult result, bool json)
    {
        if (json)
        {
            JsonLine.Write("import", w =>
            {
                w.WriteNumber("entries", result.Entries);
                w.WriteNumber("skipped", result.Skipped);
                w.WriteNumber("files", result.Files);
                w.WriteNumber("directories", result.Directories);
                w.WriteNumber("symlinks", result.Symlinks);
                w.WriteNumber("specials", result.Specials);
                w.WriteNumber("hard_links", result.HardLinks);
                w.WriteNumber("xattrs", result.Xattrs);
                w.WriteNumber("data_bytes", result.DataBytes);
                w.WriteStrings("warnings", result.Warnings);
            });
        }
        else
        {
            Console.WriteLine(
                $"imported {result.Entries} entries: {result.Files} files ({Sizes.Format(result.DataBytes, plain: false)}), "
                + $"{result.Directories} directories, {result.Symlinks} symbolic links, {result.Specials} special files, "
                + $"{result.HardLinks} hard links, {result.Xattrs} extended attributes; {result.Skipped} were there already");
        }
        foreach (string warning in result.Warnings)
        {
            Messages.Warn(warning);
        }
        return result.Warnings.Count == 0 ? 0 : (int)ErrorCode.ErrorPartial;
    }
}
