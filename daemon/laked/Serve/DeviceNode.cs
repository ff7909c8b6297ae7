// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;

namespace DeepLake.Laked.Serve;

/// <summary>Finds the node of a block device by its number, and makes sure that it is that device.</summary>
internal static class DeviceNode
{
    /// <summary>The path, or null when no node of that device is to be found.</summary>
    internal static string? Find(uint major, uint minor)
    {
        foreach (string path in Candidates(major, minor))
        {
            if (IsDevice(path, major, minor))
            {
                return path;
            }
        }
        return null;
    }

    private static IEnumerable<string> Candidates(uint major, uint minor)
    {
        if (KernelName(major, minor) is { } name)
        {
            yield return "/dev/" + name;
        }
        yield return $"/dev/block/{major}:{minor}";
        if (!Directory.Exists("/dev"))
        {
            yield break;
        }
        // A node under another name, as busybox's mdev may make it.
        foreach (string path in Directory.EnumerateFiles("/dev"))
        {
            yield return path;
        }
    }

    private static string? KernelName(uint major, uint minor)
    {
        try
        {
            return File.ReadLines($"/sys/dev/block/{major}:{minor}/uevent")
                .FirstOrDefault(line => line.StartsWith("DEVNAME=", StringComparison.Ordinal))?["DEVNAME=".Length..];
        }
        catch (IOException)
        {
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool IsDevice(string path, uint major, uint minor)
    {
        // O_PATH would do too; a resolved link in /dev/block has to be followed, so the target is asked.
        string target = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        return LinuxFiles.Status(LinuxFiles.CurrentDirectory, LinuxFiles.Name(target), out FileStatus status) == Errno.None
            && FileType.IsBlockDevice(status.Mode)
            && status.RdevMajor == major
            && status.RdevMinor == minor;
    }
}
