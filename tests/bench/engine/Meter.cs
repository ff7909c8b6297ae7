// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;

namespace DeepLake.Engine.Bench;

/// <summary>Time of the processor and managed bytes of a phase, printed per operation.</summary>
internal static class Meter
{
    public static void Run(string name, int operations, Action body)
    {
        long bytes = GC.GetAllocatedBytesForCurrentThread();
        TimeSpan started = Environment.CpuUsage.TotalTime;
        body();
        double ns = (Environment.CpuUsage.TotalTime - started).TotalNanoseconds / operations;
        double allocated = (double)(GC.GetAllocatedBytesForCurrentThread() - bytes) / operations;
        Console.WriteLine($"{name,-28} {operations,8} {ns,10:F0} ns/op {allocated,8:F1} B/op");
    }

    /// <summary>Calls the slice until it says that it was the last; prints the longest and their number.</summary>
    public static void Longest(string name, Func<bool> slice)
    {
        TimeSpan longest = TimeSpan.Zero;
        int count = 0;
        bool more;
        do
        {
            long started = Stopwatch.GetTimestamp();
            more = slice();
            TimeSpan took = Stopwatch.GetElapsedTime(started);
            longest = took > longest ? took : longest;
            count++;
        }
        while (more);
        Console.WriteLine($"{name,-28} {count,8} {longest.TotalMilliseconds,10:F2} ms at most");
    }
}
