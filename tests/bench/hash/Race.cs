// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Hash.Bench;

/// <summary>
/// Runs contestants in turn, again and again, and keeps the best processor time of each: on a busy
/// machine the best is what the others disturbed least, and taking turns gives everybody the same chances.
/// </summary>
internal static class Race
{
    /// <summary>Best seconds of each, in processor time, which is for one thread what a quiet machine's clock shows.</summary>
    public static double[] Run(int rounds, params Action[] contestants)
    {
        double[] best = new double[contestants.Length];
        Array.Fill(best, double.MaxValue);
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < contestants.Length; i++)
            {
                double started = ProcessorTime.Seconds();
                contestants[i]();
                best[i] = Math.Min(best[i], ProcessorTime.Seconds() - started);
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
