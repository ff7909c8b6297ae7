// SPDX-License-Identifier: MPL-2.0
using System.Globalization;

namespace DeepLake.Laked.Control;

/// <summary>What the kernel shows of its mounts in /sys/fs/lakefs. Nothing, where it cannot be read.</summary>
internal static class KernelView
{
    private const string Mounts = "/sys/fs/lakefs";
    private const string ShutDown = "shutdown: ";

    /// <summary>Reads of this mount that met damaged data.</summary>
    internal static ulong DamagedReads(uint major, uint minor) =>
        NameOf(major, minor) is { } name && Read(name, "damaged_reads") is { } text
        && ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong reads) ? reads : 0;

    /// <summary>Mounts in which nothing works any more, and why.</summary>
    internal static IEnumerable<(string Device, uint Major, uint Minor, string Reason)> ShutDownMounts()
    {
        string[] names;
        try
        {
            names = Directory.Exists(Mounts) ? [.. Directory.GetDirectories(Mounts).Select(p => Path.GetFileName(p))] : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            yield break;
        }

        foreach (string name in names)
        {
            if (Read(name, "state") is { } state && state.StartsWith(ShutDown, StringComparison.Ordinal)
                && TryGetDevice(name, out uint major, out uint minor))
            {
                yield return ("/dev/" + name.Replace('!', '/'), major, minor, state[ShutDown.Length..]);
            }
        }
    }

    private static bool TryGetDevice(string name, out uint major, out uint minor)
    {
        (major, minor) = (0, 0);
        string[] parts = (ReadText($"/sys/class/block/{name}/dev") ?? "").Split(':');
        return parts.Length == 2 && uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out major)
            && uint.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out minor);
    }

    private static string? NameOf(uint major, uint minor)
    {
        try
        {
            return new FileInfo($"/sys/dev/block/{major}:{minor}").ResolveLinkTarget(returnFinalTarget: true)?.Name;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string? Read(string name, string file) => ReadText($"{Mounts}/{name}/{file}");

    private static string? ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
