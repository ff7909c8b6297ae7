// SPDX-License-Identifier: MPL-2.0
using System.Text;

namespace DeepLake.Lakectl.Client;

/// <summary>What a person named: a mounted lake (then its device number), or a device or image that is not.</summary>
internal sealed record LakeTarget(string Path, bool IsMounted, uint Major, uint Minor)
{
    private const string FileSystem = "lakefs";

    /// <summary>Finds out; null with a reason when it is neither.</summary>
    internal static LakeTarget? Find(string path, out string? problem)
    {
        problem = null;
        string full = Resolve(path);
        if (DeviceNumber(full) is { } device)
        {
            bool mounted = Mounts().Any(m => m.Type == FileSystem && m.Device == device);
            return Make(full, mounted, device);
        }
        if (!Directory.Exists(full))
        {
            return new LakeTarget(full, false, 0, 0);
        }
        (string Point, string Type, string Device) mount = Mounts()
            .Where(m => full == m.Point || full.StartsWith(m.Point.TrimEnd('/') + "/", StringComparison.Ordinal))
            .OrderBy(m => m.Point.Length)
            .LastOrDefault();
        if (mount.Type != FileSystem)
        {
            problem = $"{path} is not on a lake (its filesystem is {mount.Type ?? "unknown"})";
            return null;
        }
        return Make(full, true, mount.Device);
    }

    /// <summary>Whether the filesystem with that number is a mounted lake.</summary>
    internal static bool IsMountedLake(uint major, uint minor) => Mounts().Any(m => m.Type == FileSystem && m.Device == $"{major}:{minor}");

    private static LakeTarget Make(string path, bool mounted, string device)
    {
        string[] parts = device.Split(':');
        return new LakeTarget(path, mounted, uint.Parse(parts[0]), uint.Parse(parts[1]));
    }

    private static string Resolve(string path)
    {
        try
        {
            return new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? System.IO.Path.GetFullPath(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return System.IO.Path.GetFullPath(path);
        }
    }

    private static string? DeviceNumber(string path)
    {
        if (!path.StartsWith("/dev/", StringComparison.Ordinal))
        {
            return null;
        }
        string file = $"/sys/class/block/{path["/dev/".Length..].Replace('/', '!')}/dev";
        return File.Exists(file) ? File.ReadAllText(file).Trim() : null;
    }

    // In mount order: what is mounted over a point comes after what it hides.
    private static IEnumerable<(string Point, string Type, string Device)> Mounts()
    {
        foreach (string line in File.ReadLines("/proc/self/mountinfo"))
        {
            string[] fields = line.Split(' ');
            int separator = Array.IndexOf(fields, "-");
            if (separator > 0 && separator + 1 < fields.Length)
            {
                yield return (Unescape(fields[4]), fields[separator + 1], fields[2]);
            }
        }
    }

    private static string Unescape(string text)
    {
        var result = new StringBuilder();
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 3 < text.Length)
            {
                result.Append((char)Convert.ToInt32(text.Substring(i + 1, 3), 8));
                i += 3;
            }
            else
            {
                result.Append(text[i]);
            }
        }
        return result.ToString();
    }
}
