// SPDX-License-Identifier: MPL-2.0
using System.Text.Json;
using DeepLake.Control;

namespace DeepLake.Lakectl.Output;

/// <summary>What a folder or file holds, for people and as JSON.</summary>
internal static class SubtreeText
{
    private const ulong BlockBytes = 4096;

    internal static int Show(string path, SubtreeStats stats, bool json, bool plain)
    {
        if (json)
        {
            JsonLine.Write("stats-path", w => WriteJson(w, path, stats));
            return 0;
        }
        foreach (string line in Lines(path, stats, plain))
        {
            Console.WriteLine(line);
        }
        if (stats.Cut)
        {
            Messages.Warn("there are more folders in one another than are followed: what is deeper is not in these figures");
        }
        return 0;
    }

    internal static IEnumerable<string> Lines(string path, SubtreeStats stats, bool plain)
    {
        string Size(ulong blocks) => Sizes.Format(blocks * BlockBytes, plain);
        yield return $"{Printable.Of(path)}: {Counts(stats)}";
        yield return $"  logical     {Sizes.Format(stats.LogicalBytes, plain)}, the sizes of the files";
        yield return $"  mapped      {Size(stats.MappedBlocks)} of blocks, as du adds them up"
            + (stats.UnwrittenBlocks > 0 ? $"; {Size(stats.UnwrittenBlocks)} of it preallocated" : "");
        yield return $"  stored      {Size(stats.StoredBlocks)} on the device, each block once";
        yield return $"  shared      {Size(stats.StoredBlocks - stats.ExclusiveBlocks)} of it with files elsewhere";
        yield return $"  exclusive   {Size(stats.ExclusiveBlocks)} of it: deleting all of this frees so much";
        yield return $"  saved       {Size(stats.SavedBlocks)} by what is shared within it, and by compression";
        yield return $"  sealed      {Size(stats.SealedBlocks)} of files, {Size(stats.CheckedBlocks)} checked on every read";
        foreach (ZoneStats zone in stats.Zones)
        {
            yield return $"  {"zone " + zone.Name,-12}{Sizes.Format(zone.LogicalBytes, plain)} logical, {Size(zone.MappedBlocks)} mapped, {Amounts.Of(zone.Inodes, "inode")}";
        }
    }

    private static string Counts(SubtreeStats stats)
    {
        string counts = $"{Amounts.Of(stats.Files, "file")}, {Amounts.Of(stats.Directories, "folder")}, {Amounts.Of(stats.Symlinks, "symlink")}";
        counts += stats.Specials > 0 ? $", {stats.Specials} devices, pipes and sockets" : "";
        return counts + (stats.FurtherNames > 0 ? $"; {Amounts.Of(stats.FurtherNames, "further name")} of files that are counted once" : "");
    }

    private static void WriteJson(Utf8JsonWriter w, string path, SubtreeStats stats)
    {
        w.WriteString("path", path);
        w.WriteNumber("files", stats.Files);
        w.WriteNumber("directories", stats.Directories);
        w.WriteNumber("symlinks", stats.Symlinks);
        w.WriteNumber("specials", stats.Specials);
        w.WriteNumber("further_names", stats.FurtherNames);
        w.WriteNumber("logical_bytes", stats.LogicalBytes);
        w.WriteNumber("mapped_bytes", stats.MappedBlocks * BlockBytes);
        w.WriteNumber("unwritten_bytes", stats.UnwrittenBlocks * BlockBytes);
        w.WriteNumber("stored_bytes", stats.StoredBlocks * BlockBytes);
        w.WriteNumber("shared_bytes", (stats.StoredBlocks - stats.ExclusiveBlocks) * BlockBytes);
        w.WriteNumber("exclusive_bytes", stats.ExclusiveBlocks * BlockBytes);
        w.WriteNumber("saved_bytes", stats.SavedBlocks * BlockBytes);
        w.WriteNumber("sealed_bytes", stats.SealedBlocks * BlockBytes);
        w.WriteNumber("checked_bytes", stats.CheckedBlocks * BlockBytes);
        w.WriteBoolean("cut", stats.Cut);
        w.WriteStartArray("zones");
        foreach (ZoneStats zone in stats.Zones)
        {
            w.WriteStartObject();
            w.WriteString("name", zone.Name);
            w.WriteNumber("inodes", zone.Inodes);
            w.WriteNumber("logical_bytes", zone.LogicalBytes);
            w.WriteNumber("mapped_bytes", zone.MappedBlocks * BlockBytes);
            w.WriteEndObject();
        }
        w.WriteEndArray();
    }
}
