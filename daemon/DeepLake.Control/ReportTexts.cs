// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Control;

/// <summary>How the lines of a report begin that a client does something about; the rest of each is for a person.</summary>
public static class ReportTexts
{
    /// <summary>A note of stats and of verify: of the two words "clean" and "unclean" neither is known to be true.</summary>
    public const string EndIsUnknown = "whether it was unmounted cleanly is not known: ";

    /// <summary>A problem of verify; when there is no other, nothing is lost.</summary>
    public const string CheckpointIsDamaged = "the newest checkpoint is damaged: ";

    /// <summary>A problem of verify, a note of stats: changes may be lost, and the structure is that of an earlier moment.</summary>
    public const string LogIsDamaged = "the log is damaged: ";

    /// <summary>A note of verify and of health, of an unmounted lake: whatever that cost is told beside it.</summary>
    public const string DeviceCannotRead = "the device cannot read ";

    /// <summary>A note of verify and of health, of an unmounted lake.</summary>
    public const string IndexIsDamaged =
        "the index of the metadata pages is damaged: nothing is lost, as all pages are read instead; it is written anew at the next mount, or by lakectl repair";

    /// <summary>An error of a client's own: the daemon is there no more, and another one may come.</summary>
    public const string ConnectionBroke = "the connection to laked broke: ";

    /// <summary>What follows the beginning of the first line that has it; null when none has.</summary>
    public static string? RestOf(IEnumerable<string> lines, string beginning) =>
        lines.FirstOrDefault(line => line.StartsWith(beginning, StringComparison.Ordinal))?[beginning.Length..];
}
