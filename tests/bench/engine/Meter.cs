// SPDX-License-Identifier: MPL-2.0
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
}
