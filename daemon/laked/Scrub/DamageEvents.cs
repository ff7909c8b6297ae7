// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Laked.Logging;
using DeepLake.Laked.Serve;
using DeepLake.Platform;
using DeepLake.Transport;
using Microsoft.Extensions.Logging;

namespace DeepLake.Laked.Scrub;

/// <summary>
/// Hears which blocks the kernel found to be damaged when programs read them, and tells the lake's scrub,
/// which finds out whose they are. Nothing depends on it.
/// </summary>
internal static class DamageEvents
{
    private const int ThreadStackBytes = 256 << 10;

    internal static void Start(DeviceWatcher watcher, ILogger logger) =>
        new Thread(() => Run(watcher, logger), ThreadStackBytes) { IsBackground = true, Name = "damage events" }.Start();

    private static void Run(DeviceWatcher watcher, ILogger logger)
    {
        Errno error = EventListener.Open(out EventListener? listener);
        using (listener)
        {
            while (error == Errno.None)
            {
                error = listener!.Next(out LakeEvent found, out bool isEvent);
                if (isEvent && found is { Event: NetlinkEvent.Damaged, Block: > 0 })
                {
                    Tell(watcher, found);
                }
            }
        }

        ScrubEvents.NotHeard(logger, Linux.Describe(error));
    }

    private static void Tell(DeviceWatcher watcher, LakeEvent found)
    {
        foreach (LakeServer server in watcher.Servers.Where(s => s.Major == found.Major && s.Minor == found.Minor))
        {
            server.Scrub?.Heard(found.Block);
        }
    }
}
