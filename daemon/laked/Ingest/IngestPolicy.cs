// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Laked.Ingest;

/// <summary>
/// What the ingest does when: all of it that is a matter of taste. A file is sealed when nothing has changed
/// it for a while, twice as long each time it was written again after it had been; one that is written again
/// and again goes back to being written in place. Memory only: a new daemon begins with no opinion.
/// </summary>
internal sealed class IngestPolicy(TimeSpan quiet)
{
    /// <summary>So often a file is copied on write before it is unsealed.</summary>
    private const int RewritesBeforeUnseal = 4;

    /// <summary>A file that was unsealed is left alone as if it had been rewritten so often.</summary>
    private const int RewritesMost = 7;
    private const int FilesMost = 4096;
    private const int BusyFactor = 4;

    private readonly Dictionary<ulong, int> _rewrites = [];

    // Nobody waits for it: a fraction of what a disk can do, and little while others use the lake.
    private const long BytesPerSecondAtRest = 32 << 20;
    private const long BytesPerSecondBusy = 1 << 20;

    /// <summary>What a file costs beside its bytes, so that a tree of small ones leaves the processor to others.</summary>
    public const int BytesPerFile = 64 << 10;

    /// <summary>Inodes looked at in one go while all are searched for data that is not checked.</summary>
    public const int ScanInodes = 128;

    /// <summary>How often it looks whether others use the lake.</summary>
    public static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>Between two attempts to write a base of the archive.</summary>
    public static readonly TimeSpan BasePause = TimeSpan.FromMinutes(1);

    /// <summary>
    /// So many anchors that wait in memory are written when there is nothing else to do: of a lake of some GiB,
    /// several to a page.
    /// </summary>
    public const int AnchorsOfAWrite = 1 << 12;

    /// <summary>Fewer are written when they have waited for so long.</summary>
    public static readonly TimeSpan AnchorPause = TimeSpan.FromMinutes(1);

    /// <summary>At the end they are written for so long; the others are forgotten, which costs room only.</summary>
    public static readonly TimeSpan AnchorsAtEnd = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan ScanPauseAtRest = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan ScanPauseBusy = TimeSpan.FromMilliseconds(400);

    /// <summary>Bytes read back a second, at most. It never stops: a lake that is always busy is sealed, too.</summary>
    public static long BytesPerSecond(bool isBusy) => isBusy ? BytesPerSecondBusy : BytesPerSecondAtRest;

    /// <summary>Between two goes of the search.</summary>
    public static TimeSpan ScanPause(bool isBusy) => isBusy ? ScanPauseBusy : ScanPauseAtRest;

    /// <summary>How often somebody asks which files have changed.</summary>
    public TimeSpan Tick { get; } = TimeSpan.FromMilliseconds(Math.Clamp(quiet.TotalMilliseconds / 4, 100, 5000));

    /// <summary>How long nothing must have changed a file.</summary>
    public TimeSpan QuietOf(ulong ino) => quiet * (1 << _rewrites.GetValueOrDefault(ino));

    /// <summary>When to try again what the kernel cannot do for now.</summary>
    public TimeSpan BusyPause => quiet * BusyFactor;

    /// <summary>Some of the file had been sealed, and some has been written since.</summary>
    public void NoteRewrite(ulong ino)
    {
        if (_rewrites.Count == FilesMost)
        {
            _rewrites.Clear();
        }

        _rewrites[ino] = Math.Min(_rewrites.GetValueOrDefault(ino) + 1, RewritesMost);
    }

    /// <summary>Whether the file, which was written again, is to be unsealed instead of sealed once more.</summary>
    public bool IsToBeUnsealed(ulong ino) => _rewrites.GetValueOrDefault(ino) is >= RewritesBeforeUnseal and < RewritesMost;

    public void NoteUnsealed(ulong ino) => _rewrites[ino] = RewritesMost;
}
