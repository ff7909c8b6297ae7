// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Hash.Bench;

/// <summary>Of this process and of the programs it ran and waited for: what others do on the machine is not in it.</summary>
internal static unsafe partial class ProcessorTime
{
    private const int Self = 0;
    private const int Children = -1;

    // struct rusage: user and system time as seconds and microseconds, then fourteen longs.
    private const int UsageLongs = 18;

    public static double Seconds() => Of(Self) + Of(Children);

    private static double Of(int who)
    {
        long* usage = stackalloc long[UsageLongs];
        if (GetRUsage(who, usage) != 0)
        {
            throw new InvalidOperationException("getrusage failed");
        }
        return usage[0] + usage[2] + (usage[1] + usage[3]) / 1e6;
    }

    [LibraryImport("libc", EntryPoint = "getrusage")]
    private static partial int GetRUsage(int who, long* usage);
}
