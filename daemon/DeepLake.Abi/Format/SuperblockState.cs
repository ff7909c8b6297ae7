// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Abi;

/// <summary>What a superblock says about the WAL.</summary>
public enum SuperblockState : uint
{
    [CConst("LAKEFS_STATE_CLEAN")]
    Clean = 1,

    [CConst("LAKEFS_STATE_ACTIVE")]
    Active = 2,
}
