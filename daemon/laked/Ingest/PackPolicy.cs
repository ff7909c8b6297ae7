// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Laked.Ingest;

/// <summary>When files are packed: all of it that is a matter of taste.</summary>
/// <param name="After">For how long nothing must have changed a file; zero: only when somebody asks.</param>
internal sealed record PackPolicy(TimeSpan After)
{
    private static readonly TimeSpan PauseLeast = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan PauseMost = TimeSpan.FromHours(6);
    private static readonly TimeSpan FirstMost = TimeSpan.FromMinutes(15);
    private const ulong LostLeast = 4096;
    private const ulong LostPart = 16;

    /// <summary>Unless somebody says otherwise.</summary>
    public static readonly TimeSpan UsualAge = TimeSpan.FromDays(1);

    /// <summary>Inodes looked at in one go while all are searched.</summary>
    public const int InodesOfALook = 512;

    /// <summary>What such a look costs, as if so many bytes were read.</summary>
    public const int BytesOfALook = 256 << 10;

    /// <summary>Steps, some to a file, that are done although there is something else to do.</summary>
    public const int StepsLeast = 32;

    /// <summary>Passes begin by themselves.</summary>
    public bool IsOn => After > TimeSpan.Zero;

    /// <summary>Before the first pass: a daemon that has just come has other things to do.</summary>
    public TimeSpan FirstPause => Pause < FirstMost ? Pause : FirstMost;

    /// <summary>Between two passes: files become due all the time, but none of them is in a hurry.</summary>
    public TimeSpan Pause { get; } = TimeSpan.FromTicks(Math.Clamp(After.Ticks / 4, PauseLeast.Ticks, PauseMost.Ticks));

    /// <summary>So many blocks have left packs since the last time, and it is worth looking for packs that are hardly used.</summary>
    public static ulong LostBlocks(ulong packedBlocks) => Math.Max(LostLeast, packedBlocks / LostPart);
}
