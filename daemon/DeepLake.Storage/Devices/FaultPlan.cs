// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;

namespace DeepLake.Storage;

/// <summary>
/// What a <see cref="FaultyBlockDevice"/> does wrong and when. Operations (reads, writes and flushes
/// together) are counted from 1 since the device was made.
/// </summary>
public sealed class FaultPlan
{
    /// <summary>The operation that fails (0 = none).</summary>
    public long FailAtOperation { get; set; }

    /// <summary>How many operations fail from there on.</summary>
    public long FailCount { get; set; } = 1;

    /// <summary>The error that a failing operation gives.</summary>
    public Errno FailWith { get; set; } = Errno.EIO;

    /// <summary>The operation during which power is lost (0 = never). A write is torn at a random sector.</summary>
    public long PowerCutAtOperation { get; set; }

    /// <summary>Chance that a sector written since the last flush is lost at the power cut.</summary>
    public double LossProbability { get; set; } = 0.5;

    /// <summary>Pretend to flush: the control that every loss test must fail with.</summary>
    public bool IgnoreFlushes { get; set; }
}
