// SPDX-License-Identifier: MPL-2.0
using DeepLake.Control;
using DeepLake.Laked.Serve;

namespace DeepLake.Laked.Control;

/// <summary>Which of the lakes that are served a request means.</summary>
internal static class ServedLake
{
    /// <summary>The one of a device; without a device the only one there is.</summary>
    /// <exception cref="CommandException">There is none, or there are several.</exception>
    internal static LakeServer Find(DeviceWatcher watcher, bool oneDevice, uint major, uint minor)
    {
        LakeServer[] servers = watcher.Servers;
        if (oneDevice)
        {
            return servers.FirstOrDefault(s => s.Major == major && s.Minor == minor) ?? throw new CommandException(
                ErrorCode.ErrorNotFound, $"no lake of device {major}:{minor} is mounted", "lakectl stats without arguments lists the mounted lakes");
        }

        return servers.Length switch
        {
            1 => servers[0],
            0 => throw new CommandException(ErrorCode.ErrorNotFound, "no lake is mounted", "mount one, or name a device or an image"),
            _ => throw new CommandException(ErrorCode.ErrorUsage, $"{servers.Length} lakes are mounted", "name the mount point or the device of one: " + string.Join(", ", servers.Select(s => s.DevicePath))),
        };
    }
}
