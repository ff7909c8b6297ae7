// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Laked.Ingest;

/// <summary>
/// What this daemon does to a lake in the background, all of it: neither ingest nor scrub is to take the
/// other for a program that uses the lake. Any thread.
/// </summary>
internal sealed class OwnUse
{
    private readonly Lock _lock = new();
    private readonly List<GatedDevice> _devices = [];
    private ulong _intents;

    /// <summary>How long it has kept the device busy, at most.</summary>
    public TimeSpan BusyTime
    {
        get
        {
            lock (_lock)
            {
                return _devices.Aggregate(TimeSpan.Zero, (sum, device) => sum + device.BusyTime);
            }
        }
    }

    /// <summary>Intents that it has caused.</summary>
    public ulong Intents => Volatile.Read(ref _intents);

    public void Add(GatedDevice device)
    {
        lock (_lock)
        {
            _devices.Add(device);
        }
    }

    public void CountIntent() => Interlocked.Increment(ref _intents);
}
