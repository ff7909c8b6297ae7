// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Laked.Ingest;

/// <summary>
/// Whether others than the ingest have something to do with a lake: programs that change it, or whose reads
/// and writes keep its device busy. Judged by what has happened since the last look.
/// </summary>
internal sealed class LakeActivity
{
    /// <summary>So many intents of others in a look are more than a machine that is left alone makes.</summary>
    public const ulong IntentsOfBusy = 4;

    /// <summary>The part of the time, in percent, for which a device that others use is busy without the ingest.</summary>
    public const int DevicePercentOfBusy = 15;

    private Counters _last;
    private bool _hasLooked;

    public bool IsBusy { get; private set; }

    /// <summary>All of these only grow; a look within the same instant changes nothing.</summary>
    /// <param name="Now">Of a clock that only goes forward.</param>
    /// <param name="Seq">Of the kernel's newest intent.</param>
    /// <param name="OwnIntents">How many of them the ingest has caused.</param>
    /// <param name="DeviceBusy">How long the device has had something to do.</param>
    /// <param name="OwnDevice">How long of that, at most, it was for the ingest.</param>
    public readonly record struct Counters(TimeSpan Now, ulong Seq, ulong OwnIntents, TimeSpan DeviceBusy, TimeSpan OwnDevice);

    public bool Look(in Counters now)
    {
        TimeSpan passed = now.Now - _last.Now;
        if (!_hasLooked)
        {
            _hasLooked = true;
        }
        else if (passed > TimeSpan.Zero)
        {
            ulong own = now.OwnIntents - _last.OwnIntents;
            ulong all = now.Seq - _last.Seq;
            TimeSpan device = now.DeviceBusy - _last.DeviceBusy - (now.OwnDevice - _last.OwnDevice);
            IsBusy = all >= own + IntentsOfBusy || device * 100 >= passed * DevicePercentOfBusy;
        }
        else
        {
            return IsBusy;
        }
        _last = now;
        return IsBusy;
    }
}
