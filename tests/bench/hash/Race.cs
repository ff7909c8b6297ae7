// SPDX-License-Identifier: MPL-2.0
using System.Diagnostics;

namespace DeepLake.Hash.Bench;

/// <summary>
/// Runs contestants in turn, again and again, and keeps the best time of each: on a busy machine the
/// best is what the others did not disturb, and taking turns gives everybody the same chances.
/// </summary>
internal static class Race
{
    /// <summary>Best seconds of each.</summary>
    public static double[] Run(int rounds, params Action[] contestants)
    {
        double[] best = new double[contestants.Length];
        Array.Fill(best, double.MaxValue);
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < contestants.Length; i++)
            {
                long started = Stopwatch.GetTimestamp();
                contestants[i]();
                best[i] = Math.Min(best[i], Stopwatch.GetElapsedTime(started).TotalSeconds);
            }
        }
        return best;
    }

    /// <summary>As often as makes a run of some milliseconds.</summary>
    public static Action Repeat(int times, Action action) => () =>
    {
        for (int i = 0; i < times; i++)
        {
            action();
        }
    };
}
