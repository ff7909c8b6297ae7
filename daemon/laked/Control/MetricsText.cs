// SPDX-License-Identifier: MPL-2.0
using System.Globalization;
using System.Text;
using DeepLake.Control;

namespace DeepLake.Laked.Control;

/// <summary>
/// Prometheus' text exposition format, version 0.0.4: for each metric HELP and TYPE, then a sample for each
/// lake, which is named by its device and UUID.
/// </summary>
internal static class MetricsText
{
    private const string Prefix = "deeplake_";

    /// <summary>Counters of <see cref="LakeStats.Counters"/> that only grow while the daemon serves the lake.</summary>
    private static readonly string[] Totals = ["commits", "checkpoints"];

    internal static string Render(Stats stats, Health health)
    {
        var text = new StringBuilder();
        if (stats.Daemon is { } daemon)
        {
            Single(text, "daemon_uptime_seconds", "gauge", "Time since laked started.", daemon.UptimeMs / 1000.0);
            Single(text, "daemon_resident_bytes", "gauge", "Resident memory of laked.", daemon.RssBytes);
            Single(text, "daemon_managed_heap_bytes", "gauge", "Managed heap of laked.", daemon.ManagedHeapBytes);
            Single(text, "daemon_log_lines_dropped_total", "counter", "Log lines lost because nobody took them.", daemon.LogLinesDropped);
        }

        LakeStats[] all = [.. stats.Lakes];
        PerLake(text, "lake_up", "gauge", "1 while laked serves the lake.", all, l => l.State == "serving" ? 1 : 0);
        LakeStats[] open = [.. all.Where(l => l.Uuid.Length > 0)];
        PerLake(text, "lake_device_bytes", "gauge", "Size of the device.", open, l => l.DeviceBytes);
        PerLake(text, "lake_data_blocks", "gauge", "Blocks of 4096 bytes for file data.", open, l => l.DataBlocks);
        PerLake(text, "lake_free_blocks", "gauge", "Blocks that are free.", open, l => l.FreeBlocks);
        PerLake(text, "lake_used_blocks", "gauge", "Blocks in use, shared ones counted once.", open, l => l.UsedBlocks);
        PerLake(text, "lake_inodes", "gauge", "Inodes.", open, l => l.Inodes);
        PerLake(text, "lake_orphans", "gauge", "Inodes without a name that are still open.", open, l => l.Orphans);
        PerLake(text, "lake_applied_seq", "counter", "Newest change applied.", open, l => l.AppliedSeq);
        PerLake(text, "lake_durable_seq", "counter", "Newest change that is durable.", open, l => l.DurableSeq);
        PerLake(text, "lake_replayed_intents", "gauge", "Changes replayed when the lake was opened.", open, l => l.ReplayedIntents);
        PerLake(text, "lake_opened_clean", "gauge", "1 if this laked found the clean mark (not when it took a mount over).", open, l => l.WasClean ? 1 : 0);
        PerLake(text, "lake_checkpoint_seconds", "gauge", "Unix time of the newest checkpoint.", open, l => l.CheckpointSec);
        foreach (string name in open.SelectMany(l => l.Counters.Keys).Distinct().Order(StringComparer.Ordinal))
        {
            bool total = Totals.Contains(name);
            LakeStats[] having = [.. open.Where(l => l.Counters.ContainsKey(name))];
            PerLake(
                text,
                $"lake_{name}{(total ? "_total" : "")}",
                total ? "counter" : "gauge",
                $"See lakectl stats: {name.Replace('_', ' ')}.",
                having,
                l => l.Counters[name]);
        }

        foreach ((string name, string type, string help, Func<LakeHealth, double?> value) in ScrubCommands.Metrics)
        {
            LakeHealth[] having = [.. health.Lakes.Where(h => value(h) is not null)];
            PerLake(text, name, type, help, [.. having.Select(h => h.Stats)], l => value(having.First(h => h.Stats == l)) ?? 0);
        }

        return text.ToString();
    }

    private static void Single(StringBuilder text, string name, string type, string help, double value)
    {
        Head(text, name, type, help);
        text.Append(Prefix).Append(name).Append(' ').Append(Number(value)).Append('\n');
    }

    private static void PerLake(
        StringBuilder text, string name, string type, string help, LakeStats[] lakes, Func<LakeStats, double> value)
    {
        if (lakes.Length == 0)
        {
            return;
        }

        Head(text, name, type, help);
        foreach (LakeStats lake in lakes)
        {
            text.Append(Prefix).Append(name)
                .Append("{device=\"").Append(Escape(lake.Device))
                .Append("\",uuid=\"").Append(Escape(lake.Uuid)).Append("\"} ")
                .Append(Number(value(lake))).Append('\n');
        }
    }

    private static void Head(StringBuilder text, string name, string type, string help) =>
        text.Append("# HELP ").Append(Prefix).Append(name).Append(' ').Append(help).Append('\n')
            .Append("# TYPE ").Append(Prefix).Append(name).Append(' ').Append(type).Append('\n');

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static string Escape(string label) =>
        label.Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal);
}
