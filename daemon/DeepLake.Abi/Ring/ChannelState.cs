// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Abi;

/// <summary>State of an attachment, as the kernel says.</summary>
public enum ChannelState : uint
{
    [CConst("LAKEFS_CHAN_ATTACHED")]
    Attached = 1,

    [CConst("LAKEFS_CHAN_RUNNING")]
    Running = 2,

    [CConst("LAKEFS_CHAN_SHUTDOWN")]
    Shutdown = 3,

    [CConst("LAKEFS_CHAN_UNMOUNTED")]
    Unmounted = 4,
}
