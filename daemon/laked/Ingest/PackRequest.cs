// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;

namespace DeepLake.Laked.Ingest;

/// <summary>A pass over all files that packs and rewrites packs, for who waits for it. Written by the ingest's thread.</summary>
internal sealed class PackRequest
{
    private readonly ManualResetEventSlim _ended = new();
    private readonly Lock _lock = new();
    private (ulong Done, ulong All) _files;

    /// <summary>Somebody waits for it.</summary>
    public bool IsAsked { get; init; }

    /// <summary>Also files that were changed lately, as long as they are known by their content.</summary>
    public bool IsAll { get; init; }

    /// <summary>Nothing is changed: only packs are looked for that are hardly used any more.</summary>
    public bool IsDryRun { get; init; }

    /// <summary>Inodes looked at, and how many there are.</summary>
    public (ulong Done, ulong All) Files
    {
        get
        {
            lock (_lock)
            {
                return _files;
            }
        }

        set
        {
            lock (_lock)
            {
                _files = (Math.Min(value.Done, value.All), value.All);
            }
        }
    }

    /// <summary>Blocks of files that were packed, and the device blocks of these packs; once it has ended.</summary>
    public (ulong Blocks, ulong Into) Packed { get; set; }

    /// <summary>Packs that were hardly used any more; once it has ended.</summary>
    public (ulong Packs, ulong DeviceBlocks, ulong LiveBlocks) Collected { get; set; }

    /// <summary>What ended it before its end.</summary>
    public Errno Refusal { get; private set; }

    public void End(Errno refusal)
    {
        Refusal = refusal;
        _ended.Set();
    }

    /// <summary>Whether it has ended within that time.</summary>
    public bool Wait(TimeSpan time) => _ended.Wait(time);
}
