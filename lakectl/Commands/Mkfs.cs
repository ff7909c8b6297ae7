// SPDX-License-Identifier: MPL-2.0
using System.CommandLine;
using System.CommandLine.Parsing;
using DeepLake.Control;
using DeepLake.Lakectl.Output;
using DeepLake.Lakectl.Usage;
using Google.Protobuf;

namespace DeepLake.Lakectl.Commands;

/// <summary><c>lakectl mkfs</c></summary>
internal static class Mkfs
{
    private const string Notes =
        """
        What holds something is refused, unless --force is given. Looked at are:
          a block device  the first and the last MiB, where filesystems, partition
                          tables, RAID, LVM and LUKS leave their marks; known copies
                          of superblocks; 64 places between. Data that is only
                          elsewhere is not noticed.
          an image file   all its data up to 64 MiB (holes are skipped), its last
                          MiB, and 64 places of what comes after.
        """;

    internal static Command Create()
    {
        var device = new Argument<string>("DEVICE") { Description = "Block device or image file" };
        var label = new Option<string>("--label", "-L") { Description = "Name of the lake, up to 64 bytes", DefaultValueFactory = _ => "" };
        var uuid = new Option<Guid?>("--uuid", "-U") { Description = "Identity; random when left out", CustomParser = ParseUuid };
        var force = new Option<bool>("--force", "-f") { Description = "Overwrite what is on the device" };
        var size = new Option<string?>("--size") { Description = "Create a new image file of this size, such as 2G" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Check everything, change nothing" };
        Option<bool> json = CommandRunner.JsonOption();
        var command = new NotedCommand("mkfs", "Make an empty lake on a device or in an image file", Notes) { device, label, uuid, force, size, dryRun, json };
        command.SetAction(parsed =>
        {
            ulong bytes = 0;
            if (parsed.GetValue(size) is { } text && !Sizes.TryParse(text, out bytes))
            {
                return CommandRunner.Fail(ErrorCode.ErrorUsage, $"{text} is no size", "write it as 2G or 512M", parsed.GetValue(json));
            }
            string name = parsed.GetRequiredValue(device);
            if (CommandRunner.RefuseMounted(name, parsed.GetValue(json)) is { } status)
            {
                return status;
            }
            Request request = CommandRunner.NewRequest();
            request.Mkfs = new MkfsRequest
            {
                DevicePath = Path.GetFullPath(name),
                Label = parsed.GetRequiredValue(label),
                Force = parsed.GetValue(force),
                ImageBytes = bytes,
                DryRun = parsed.GetValue(dryRun),
                Uuid = parsed.GetValue(uuid) is { } id ? ByteString.CopyFrom(id.ToByteArray(bigEndian: true)) : ByteString.Empty,
            };
            bool isJson = parsed.GetValue(json);
            return CommandRunner.OneShot(request, isJson, result => Show(result.Mkfs, isJson));
        });
        return command;
    }

    private static Guid? ParseUuid(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (Guid.TryParse(text, out Guid uuid))
        {
            return uuid;
        }
        result.AddError($"{text} is no UUID.");
        return null;
    }

    private static int Show(MkfsResult result, bool json)
    {
        if (json)
        {
            JsonLine.Write("mkfs", w =>
            {
                w.WriteString("device", result.DevicePath);
                w.WriteString("uuid", result.Uuid);
                w.WriteString("label", result.Label);
                w.WriteNumber("device_bytes", result.DeviceBytes);
                if (result.DryRun)
                {
                    w.WriteNull("data_blocks"); // only making it tells
                }
                else
                {
                    w.WriteNumber("data_blocks", result.DataBlocks);
                }
                w.WriteBoolean("dry_run", result.DryRun);
                w.WriteString("overwrites", result.Overwrites);
                w.WriteString("looked_at", result.LookedAt);
            });
            return 0;
        }
        if (result.Overwrites.Length > 0)
        {
            Messages.Warn($"{result.DevicePath} {(result.DryRun ? "holds" : "held")} {result.Overwrites}");
        }
        string size = Sizes.Format(result.DeviceBytes, plain: false);
        string device = Printable.Of(result.DevicePath);
        string nothing = result.Overwrites.Length > 0 || result.LookedAt.Length == 0 ? "" : $"nothing was found there (looked at: {result.LookedAt}); ";
        Console.WriteLine(result.DryRun
            ? $"would make a lake of {size} on {device}; {nothing}nothing was changed"
            : $"made a lake of {size} on {device}, {result.DataBlocks} data blocks, uuid {result.Uuid}");
        return 0;
    }
}
