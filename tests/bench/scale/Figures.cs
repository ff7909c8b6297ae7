// SPDX-License-Identifier: MPL-2.0
using System.Globalization;

namespace DeepLake.Scale;

/// <summary>What the kernel says of this process, and the runtime of its heap.</summary>
internal static class Figures
{
    private const double TicksPerSecond = 100; // of /proc, on every architecture

    private static readonly string[] Shown = ["VmRSS", "VmHWM", "RssAnon"];

    /// <summary>Since the process was started; to 10 ms.</summary>
    public static TimeSpan Age()
    {
        double up = double.Parse(File.ReadAllText("/proc/uptime").Split(' ')[0], CultureInfo.InvariantCulture);
        return TimeSpan.FromSeconds(up - (Stat(21) / TicksPerSecond));
    }

    /// <summary>Processor time of all its threads, in user mode and in the kernel.</summary>
    public static TimeSpan Processor() => TimeSpan.FromSeconds((Stat(13) + Stat(14)) / TicksPerSecond);

    /// <summary>
    /// How long the first thread and this one were ready to run while others had the processor (field 2 of
    /// schedstat, ns): what a host with other work adds to the time that is seen.
    /// </summary>
    public static TimeSpan Waited() =>
        WaitedBy($"/proc/self/task/{Environment.ProcessId}/schedstat") + WaitedBy("/proc/thread-self/schedstat");

    public static void Print(string what)
    {
        var memory = File.ReadLines("/proc/self/status").Select(l => l.Split(':')).Where(l => Shown.Contains(l[0]))
            .Select(l => $"{l[0]} {long.Parse(l[1].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) >> 10}");
        GCMemoryInfo heap = GC.GetGCMemoryInfo();
        Console.WriteLine(
            $"{what}\n    MiB: {string.Join(", ", memory)}, heap {GC.GetTotalMemory(false) >> 20}, committed {heap.TotalCommittedBytes >> 20}");
    }

    private static TimeSpan WaitedBy(string schedstat) =>
        TimeSpan.FromMicroseconds(long.Parse(File.ReadAllText(schedstat).Split(' ')[1], CultureInfo.InvariantCulture) / 1000);

    private static long Stat(int field)
    {
        string stat = File.ReadAllText("/proc/self/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return long.Parse(fields[field - 2], CultureInfo.InvariantCulture);
    }
}
