// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Abi;

/// <summary>Events of the netlink family.</summary>
public enum NetlinkEvent : byte
{
    [CConst("LAKEFS_EV_MOUNTED")]
    Mounted = 1,

    [CConst("LAKEFS_EV_ATTACHED")]
    Attached = 2,

    [CConst("LAKEFS_EV_DETACHED")]
    Detached = 3,

    [CConst("LAKEFS_EV_SHUTDOWN")]
    Shutdown = 4,

    [CConst("LAKEFS_EV_ERROR")]
    Error = 5,

    [CConst("LAKEFS_EV_UNMOUNTED")]
    Unmounted = 6,

    /// <summary>A block differs from its checksum.</summary>
    [CConst("LAKEFS_EV_DAMAGED")]
    Damaged = 7,
}
