// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Abi;

/// <summary>How it stands with the scrub of a lake.</summary>
public enum ScrubStage : uint
{
    /// <summary>The last pass came to its end, or there has been none.</summary>
    [CConst("LAKEFS_SCRUB_IDLE")]
    Idle = 0,

    /// <summary>Whoever serves the lake goes on with it.</summary>
    [CConst("LAKEFS_SCRUB_RUNNING")]
    Running = 1,

    /// <summary>Somebody stopped it.</summary>
    [CConst("LAKEFS_SCRUB_STOPPED")]
    Stopped = 2,
}
