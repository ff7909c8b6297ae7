// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Abi;

/// <summary>The generic netlink family: events only.</summary>
public static class LakeNetlink
{
    [CConst("LAKEFS_GENL_NAME")]
    public const string Family = "lakefs";

    [CConst("LAKEFS_GENL_VERSION")]
    public const byte Version = 1;

    [CConst("LAKEFS_GENL_GROUP")]
    public const string Group = "events";
}
