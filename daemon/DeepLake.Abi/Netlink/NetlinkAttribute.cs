// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Abi;

/// <summary>Attributes of the events.</summary>
public enum NetlinkAttribute : ushort
{
    [CConst("LAKEFS_A_UNSPEC")]
    Unspec = 0,

    [CConst("LAKEFS_A_DEV")]
    Dev = 1,

    [CConst("LAKEFS_A_GENERATION")]
    Generation = 2,

    [CConst("LAKEFS_A_ERROR")]
    Error = 3,

    [CConst("LAKEFS_A_REASON")]
    Reason = 4,

    /// <summary>Of the device.</summary>
    [CConst("LAKEFS_A_BLOCK")]
    Block = 5,
}
