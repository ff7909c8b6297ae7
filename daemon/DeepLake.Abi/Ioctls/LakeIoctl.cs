// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Abi;

/// <summary>Numbers of the ioctls.</summary>
public static class LakeIoctl
{
    [CConst("LAKEFS_IOC_MAGIC")]
    public const uint Magic = 'L';

    [CConst("LAKEFS_IOC_NEXT_WANTED")]
    public const uint NextWanted = 0xc0204c01u;

    [CConst("LAKEFS_IOC_ATTACH")]
    public const uint Attach = 0xc0404c02u;

    [CConst("LAKEFS_IOC_DECLARE")]
    public const uint Declare = 0xc0204c03u;

    [CConst("LAKEFS_IOC_READY")]
    public const uint Ready = 0x40104c04u;

    [CConst("LAKEFS_IOC_COMMIT")]
    public const uint Commit = 0x40204c05u;

    /// <summary>Look at the daemon page.</summary>
    [CConst("LAKEFS_IOC_KICK")]
    public const uint Kick = 0x4c06u;

    [CConst("LAKEFS_IOC_FAIL")]
    public const uint Fail = 0x40804c07u;

    /// <summary>Orderly; the mount waits for a successor.</summary>
    [CConst("LAKEFS_IOC_DETACH")]
    public const uint Detach = 0x4c08u;

    /// <summary>A range is not written in place from now on.</summary>
    [CConst("LAKEFS_IOC_SEAL")]
    public const uint Seal = 0xc0304c09u;

    /// <summary>Reads of a sealed range are checked from now on.</summary>
    [CConst("LAKEFS_IOC_CHECKED")]
    public const uint Checked = 0xc0304c0au;

    [CConst("LAKEFS_IOC_UNSEAL")]
    public const uint Unseal = 0xc0304c0bu;

    /// <summary>Equal files map the same blocks.</summary>
    [CConst("LAKEFS_IOC_SHARE")]
    public const uint Share = 0xC0484C0Cu;

    /// <summary>The same bytes lie elsewhere.</summary>
    [CConst("LAKEFS_IOC_REMAP")]
    public const uint Remap = 0xC0384C0Du;

    /// <summary>Shutdown of a mount by a person, on any of its files.</summary>
    [CConst("LAKEFS_FS_IOC_SHUTDOWN")]
    public const uint Shutdown = 0x8004587du;
}
