// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;

namespace DeepLake.Sim;

/// <summary>
/// What a <see cref="FaultyBlockDevice"/> does wrong and when. Operations (reads, writes and flushes
/// together) are counted from 1 since the device was made; 0 is never.
/// </summary>
internal sealed class FaultPlan
{
    /// <summary>The operation that fails.</summary>
    public long FailAtOperation { get; set; }

    /// <summary>How many operations fail from there on.</summary>
    public long FailCount { get; set; } = 1;

    /// <summary>The error that a failing operation gives.</summary>
    public Errno FailWith { get; set; } = Errno.EIO;

    /// <summary>A write that fails may have reached the device in part.</summary>
    public bool FailedWritesLeavePieces { get; set; }

    /// <summary>The operation during which power is lost. A write is torn at a random sector.</summary>
    public long PowerCutAtOperation { get; set; }

    /// <summary>The same, of writes and flushes only.</summary>
    public long PowerCutAtChange { get; set; }

    public CutKind Cut { get; set; }

    /// <summary>Chance that a sector (or write) since the last flush is lost at the power cut.</summary>
    public double LossProbability { get; set; } = 0.5;

    /// <summary>Pretend to flush: the control that every loss test must fail with.</summary>
    public bool IgnoreFlushes { get; set; }

    /// <summary>The operation at which the daemon is killed: it does nothing more, and what it wrote stays.</summary>
    public long KillAtOperation { get; set; }

    /// <summary>From this operation on, the first write in the stray range goes elsewhere in it, or nowhere.</summary>
    public long StrayAtOperation { get; set; }

    public (long From, long End) StrayRange { get; set; }

    /// <summary>The write is told to have succeeded and does nothing.</summary>
    public bool StrayIsLost { get; set; }

    /// <summary>From this operation on, one read in the stray range gives one wrong bit.</summary>
    public long WrongBitAtOperation { get; set; }
}
