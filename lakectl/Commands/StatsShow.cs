// SPDX-License-Identifier: MPL-2.0
using System.CommandLine;
using System.Text.Json;
using DeepLake.Control;
using DeepLake.Lakectl.Client;
using DeepLake.Lakectl.Files;
using DeepLake.Lakectl.Output;
using DeepLake.Lakectl.Usage;

namespace DeepLake.Lakectl.Commands;

/// <summary><c>lakectl stats</c></summary>
internal static class StatsShow
{
    private const ulong BlockBytes = 4096;
    private const int MostSeconds = 86400;
    private const string Offline = "offline";

    // In words in one line or the other; in JSON all are in "counters".
    private static readonly string[] Explained =
    [
        "leased_blocks", "quarantined_blocks", "shared_blocks", "saved_blocks", "sealed_blocks", "checked_blocks",
        "mapped_blocks", "packed_blocks", "pack_blocks", "objects",
        "metadata_pages", "metadata_capacity_pages", "wal_bytes_used", "wal_bytes", "archive_blocks", "archived_seq", "archive_interrupted",
        "commits", "checkpoints",
    ];

    private const string Notes =
        """
        Each block for data is one of these, and those that are shared count once:
          used         in files, or of the archive
          leased       reserved by the kernel of a mounted lake, to be written next
          quarantined  of a mounted lake: freed, but not durably yet
          free
        In JSON, in blocks of 4096 bytes: data_blocks is the sum of used_blocks,
        free_blocks, counters.leased_blocks and counters.quarantined_blocks.

        The counters of JSON:
          leased_blocks            reserved by the kernel, to be written next
          quarantined_blocks       freed, but not durably yet
          shared_blocks            used blocks that several files have together
          saved_blocks             the sum of their references, less one each: what
                                   they would take more without that; of packs it
                                   says nothing
          sealed_blocks            blocks of files that are not written in place any
                                   more; a shared one counts for each file
          checked_blocks           of these, those whose reads are compared with a
                                   checksum
          mapped_blocks            blocks of files; a shared one counts for each file
          packed_blocks            of these, those that are compressed, in packs
          pack_blocks              used blocks that the packs take
          objects                  files that are known by their content
          metadata_pages           pages of 4096 bytes with names, inodes, maps
          metadata_capacity_pages  how many there is room for; beyond that what
                                   makes it grow fails, and deleting works
          wal_bytes_used           of the log: the changes since the older of the two
                                   checkpoints
          wal_bytes                size of the log
          archive_blocks           used blocks with the log and the metadata once more,
                                   for lakectl repair
          archived_seq             the newest change in them
          archive_interrupted      1: newer ones come with the next base only
          commits                  of the log, by the laked that serves the lake now
          checkpoints              by it, too

        was_clean is null when it cannot be told: the superblock copy that would
        tell is damaged.

        Of a folder, with all that is in it, or of a file in a mounted lake:
          logical    the sizes of the files, holes included
          mapped     blocks of the files, a shared one for each of them (as du does)
          stored     blocks of the device, each once
          shared     of these, blocks that files elsewhere have, too
          exclusive  of these, the others: what deleting all of it would free
          saved      what it would take more if its files shared nothing among them
        A file with several names in it counts once. The figures are of the lake as it
        was while it was looked through, with what has reached the daemon: what is still
        to be written (see sync) has no blocks yet. A file that holds a lake, as an image,
        is shown as one.
        """;

    internal static Command Create()
    {
        var target = new Argument<string?>("TARGET")
        {
            Description = "Device, image file, or the root of a mounted lake: that lake; a folder or file in a mounted lake: what it holds; all mounted lakes when left out",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var bytes = new Option<bool>("--bytes") { Description = "Sizes in plain bytes" };
        var every = new Option<int?>("--every")
        {
            Description = "Show it again after each so many seconds, until interrupted or nobody reads it",
            HelpName = "SECONDS",
        };
        every.Validators.Add(result =>
        {
            if (result.Tokens is not [var token] || !int.TryParse(token.Value, out int seconds) || seconds is < 1 or > MostSeconds)
            {
                result.AddError($"--every takes whole seconds, from 1 to {MostSeconds}.");
            }
        });
        Option<bool> json = CommandRunner.JsonOption();
        var command = new NotedCommand("stats", "Show what a lake, or a folder or file in one, holds and how it is", Notes) { target, bytes, every, json };
        command.SetAction(parsed =>
        {
            bool isJson = parsed.GetValue(json), plain = parsed.GetValue(bytes);
            int status = Once(parsed.GetValue(target), isJson, plain);
            while (status == 0 && parsed.GetValue(every) is { } seconds && !Descriptor.LosesItsReader(Descriptor.Output, seconds))
            {
                if (!isJson)
                {
                    Console.WriteLine();
                }
                status = Once(parsed.GetValue(target), isJson, plain);
            }
            return status;
        });
        return command;
    }

    private static int Once(string? name, bool json, bool plain)
    {
        Request request = CommandRunner.NewRequest();
        if (name is not null && InsideLake.Find(name) is { } inside)
        {
            request.Subtree = new SubtreeRequest { DevMajor = inside.Major, DevMinor = inside.Minor, Ino = inside.Ino };
            return CommandRunner.Daemon(request, json, result => SubtreeText.Show(name, result.Subtree, json, plain));
        }
        request.Stats = new StatsRequest();
        LakeTarget? lake = null;
        if (name is not null)
        {
            lake = LakeTarget.Find(name, out string? problem);
            if (lake is null)
            {
                return CommandRunner.Fail(ErrorCode.ErrorNotFound, problem!, "name a lake's device or mount point", json);
            }
            request.Stats = new StatsRequest { OneDevice = true, DevMajor = lake.Major, DevMinor = lake.Minor, DevicePath = lake.Path };
        }
        return lake is { IsMounted: false }
            ? CommandRunner.OneShot(request, json, result => Show(result.Stats, json, plain))
            : CommandRunner.Daemon(request, json, result => Show(result.Stats, json, plain));
    }

    private static int Show(Stats stats, bool json, bool plain)
    {
        if (json)
        {
            JsonLine.Write("stats", w => WriteJson(w, stats));
            return 0;
        }
        if (stats.Daemon is { } daemon)
        {
            Console.WriteLine($"laked: process {daemon.ProcessId}, up {daemon.UptimeMs / 1000} s, resident {Sizes.Format(daemon.RssBytes, plain)}");
        }
        foreach (LakeStats lake in stats.Lakes)
        {
            ShowLake(lake, plain);
        }
        return 0;
    }

    private static void ShowLake(LakeStats lake, bool plain)
    {
        Console.WriteLine(Printable.Of($"{lake.Device}: {lake.State}{(lake.Failure.Length > 0 ? ": " + lake.Failure : "")}"));
        if (lake.Uuid.Length == 0)
        {
            return;
        }
        Console.WriteLine($"  uuid        {lake.Uuid}{(lake.Label.Length > 0 ? $" \"{Printable.Of(lake.Label)}\"" : "")}");
        Console.WriteLine($"  data        {DataLine(lake, plain)}");
        if (lake.Counters.TryGetValue("shared_blocks", out ulong shared) && shared > 0)
        {
            Console.WriteLine($"  shared      {Sizes.Format(shared * BlockBytes, plain)} of the used, which saves {Sizes.Format(SavedBySharing(lake) * BlockBytes, plain)}");
        }
        if (lake.Counters.TryGetValue("sealed_blocks", out ulong sealedBlocks) && sealedBlocks > 0)
        {
            ulong checkedBlocks = lake.Counters.GetValueOrDefault("checked_blocks");
            Console.WriteLine($"  sealed      {Sizes.Format(sealedBlocks * BlockBytes, plain)} of files, {Sizes.Format(checkedBlocks * BlockBytes, plain)} checked on every read");
        }
        if (lake.Counters.TryGetValue("pack_blocks", out ulong packs) && packs > 0)
        {
            ulong packed = lake.Counters.GetValueOrDefault("packed_blocks");
            Console.WriteLine($"  packed      {Sizes.Format(packed * BlockBytes, plain)} of files, compressed into {Sizes.Format(packs * BlockBytes, plain)} of the used");
        }
        if (lake.Counters.TryGetValue("objects", out ulong objects) && objects > 0)
        {
            Console.WriteLine($"  identified  {objects} files by their content, so that equal ones share their blocks");
        }
        Console.WriteLine($"  inodes      {lake.Inodes}, of these {lake.Orphans} without a name");
        Console.WriteLine($"  history     epoch {lake.Epoch}, mounted {lake.MountCount} times, made {Time(lake.CreatedSec)}");
        string sequence = lake.State == Offline ? $"{lake.AppliedSeq}" : $"applied {lake.AppliedSeq}, durable {lake.DurableSeq}";
        Console.WriteLine($"  sequence    {sequence}, checkpoint {Time(lake.CheckpointSec)}");
        Console.WriteLine($"  {HowItWasOpened(lake)}");
        foreach (string note in lake.Notes.Where(n => !n.StartsWith(ReportTexts.EndIsUnknown, StringComparison.Ordinal)))
        {
            Console.WriteLine($"  note        {Printable.Of(note)}");
        }
        foreach (string line in CounterLines(lake, plain))
        {
            Console.WriteLine(line);
        }
    }

    /// <summary>In blocks. References to packs, of which a file may have a part, do not tell: there it is what is not packed.</summary>
    private static ulong SavedBySharing(LakeStats lake)
    {
        ulong packs = lake.Counters.GetValueOrDefault("pack_blocks");
        if (packs == 0)
        {
            return lake.Counters.GetValueOrDefault("saved_blocks");
        }
        ulong mapped = lake.Counters.GetValueOrDefault("mapped_blocks") - lake.Counters.GetValueOrDefault("packed_blocks");
        ulong stored = lake.UsedBlocks - lake.Counters.GetValueOrDefault("archive_blocks") - packs;
        return mapped > stored ? mapped - stored : 0;
    }

    /// <summary>What is said of the counters that the lines before have not said.</summary>
    internal static IEnumerable<string> CounterLines(LakeStats lake, bool plain)
    {
        if (lake.Counters.TryGetValue("metadata_pages", out ulong pages))
        {
            yield return $"  metadata    {pages} of the {lake.Counters.GetValueOrDefault("metadata_capacity_pages")} pages there is room for, {BlockBytes} bytes each";
        }
        if (lake.Counters.TryGetValue("wal_bytes", out ulong log))
        {
            yield return $"  log         {Sizes.Format(lake.Counters.GetValueOrDefault("wal_bytes_used"), plain)} of {Sizes.Format(log, plain)} with the changes since the older of the two checkpoints";
        }
        if (lake.Counters.TryGetValue("archive_blocks", out ulong archive))
        {
            string until = lake.Counters.GetValueOrDefault("archive_interrupted") != 0
                ? "interrupted: what is newer is in the log only, until laked has written a base"
                : $"up to change {lake.Counters.GetValueOrDefault("archived_seq")} of {lake.AppliedSeq}";
            yield return $"  archive     {Sizes.Format(archive * BlockBytes, plain)}, {until}";
        }
        if (lake.Counters.TryGetValue("commits", out ulong commits))
        {
            yield return $"  served      {commits} commits of the log and {lake.Counters.GetValueOrDefault("checkpoints")} checkpoints by the laked that serves it now";
        }
        foreach ((string name, ulong value) in lake.Counters.Where(c => !Explained.Contains(c.Key)).OrderBy(c => c.Key, StringComparer.Ordinal))
        {
            yield return $"  {name.Replace('_', ' ')} {value}";
        }
    }

    // Each block for data is one of these, so that they add up to all.
    internal static string DataLine(LakeStats lake, bool plain)
    {
        string Size(ulong blocks) => Sizes.Format(blocks * BlockBytes, plain);
        if (lake.State == Offline)
        {
            return $"{Size(lake.UsedBlocks)} used, {Size(lake.FreeBlocks)} free: {Size(lake.DataBlocks)} in all";
        }
        return $"{Size(lake.UsedBlocks)} used, {Size(lake.Counters.GetValueOrDefault("leased_blocks"))} reserved for writing, "
            + $"{Size(lake.Counters.GetValueOrDefault("quarantined_blocks"))} being freed, {Size(lake.FreeBlocks)} free: "
            + $"{Size(lake.DataBlocks)} in all";
    }

    // What the daemon that serves it now found. That another one died while the lake was mounted says nothing
    // of how it was unmounted; nor does a checkpoint that was damaged since.
    internal static string HowItWasOpened(LakeStats lake)
    {
        string replayed = $"{lake.ReplayedIntents} changes replayed";
        if (lake.TakenOver)
        {
            return $"taken over  from an earlier laked, while mounted; {replayed}";
        }
        if (lake.FellBack)
        {
            return $"recovered   from the older checkpoint, the newest is damaged (see lakectl verify); {replayed}";
        }
        if (ReportTexts.RestOf(lake.Notes, ReportTexts.EndIsUnknown) is { } why)
        {
            return $"unmounted   not known whether cleanly: {Printable.Of(why)}; {replayed}";
        }
        return lake.WasClean ? "unmounted   cleanly" : $"unmounted   not cleanly; {replayed}";
    }

    private static string Time(ulong seconds) => DateTimeOffset.FromUnixTimeSeconds((long)seconds).ToString("yyyy-MM-dd HH:mm:ss'Z'");

    private static void WriteJson(Utf8JsonWriter w, Stats stats)
    {
        if (stats.Daemon is { } daemon)
        {
            w.WriteStartObject("daemon");
            w.WriteNumber("process_id", daemon.ProcessId);
            w.WriteNumber("uptime_ms", daemon.UptimeMs);
            w.WriteNumber("rss_bytes", daemon.RssBytes);
            w.WriteNumber("managed_heap_bytes", daemon.ManagedHeapBytes);
            w.WriteNumber("log_lines_dropped", daemon.LogLinesDropped);
            w.WriteEndObject();
        }
        w.WriteStartArray("lakes");
        foreach (LakeStats lake in stats.Lakes)
        {
            WriteLake(w, lake);
        }
        w.WriteEndArray();
    }

    private static void WriteLake(Utf8JsonWriter w, LakeStats lake)
    {
        w.WriteStartObject();
        w.WriteString("device", lake.Device);
        w.WriteString("dev", $"{lake.DevMajor}:{lake.DevMinor}");
        w.WriteString("state", lake.State);
        w.WriteString("failure", lake.Failure);
        w.WriteString("uuid", lake.Uuid);
        w.WriteString("label", lake.Label);
        w.WriteNumber("device_bytes", lake.DeviceBytes);
        w.WriteNumber("data_blocks", lake.DataBlocks);
        w.WriteNumber("free_blocks", lake.FreeBlocks);
        w.WriteNumber("used_blocks", lake.UsedBlocks);
        w.WriteNumber("inodes", lake.Inodes);
        w.WriteNumber("orphans", lake.Orphans);
        w.WriteNumber("epoch", lake.Epoch);
        w.WriteNumber("mount_count", lake.MountCount);
        w.WriteBoolean("clean", lake.Clean);
        if (ReportTexts.RestOf(lake.Notes, ReportTexts.EndIsUnknown) is null)
        {
            w.WriteBoolean("was_clean", lake.WasClean);
        }
        else
        {
            w.WriteNull("was_clean");
        }
        w.WriteBoolean("taken_over", lake.TakenOver);
        w.WriteBoolean("fell_back", lake.FellBack);
        w.WriteNumber("replayed_intents", lake.ReplayedIntents);
        w.WriteNumber("applied_seq", lake.AppliedSeq);
        w.WriteNumber("durable_seq", lake.DurableSeq);
        w.WriteNumber("created_sec", lake.CreatedSec);
        w.WriteNumber("checkpoint_sec", lake.CheckpointSec);
        w.WriteStrings("notes", lake.Notes);
        w.WriteStartObject("counters");
        foreach ((string name, ulong value) in lake.Counters.OrderBy(c => c.Key, StringComparer.Ordinal))
        {
            w.WriteNumber(name, value);
        }
        w.WriteEndObject();
        w.WriteEndObject();
    }
}
