// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Abi;

/// <summary>Kinds of intents; 32, 34, 36 and 37 are reserved and refused, 64 and above are only in the WAL.</summary>
public enum IntentOp : ushort
{
    [CConst("LAKEFS_I_PAD")]
    Pad = 0,

    [CConst("LAKEFS_I_CREATE")]
    Create = 1,

    [CConst("LAKEFS_I_LINK")]
    Link = 2,

    [CConst("LAKEFS_I_UNLINK")]
    Unlink = 3,

    [CConst("LAKEFS_I_RENAME")]
    Rename = 4,

    [CConst("LAKEFS_I_SETATTR")]
    Setattr = 5,

    [CConst("LAKEFS_I_XATTR")]
    Xattr = 6,

    [CConst("LAKEFS_I_MAP")]
    Map = 7,

    [CConst("LAKEFS_I_UNMAP")]
    Unmap = 8,

    [CConst("LAKEFS_I_OVERWRITE")]
    Overwrite = 9,

    [CConst("LAKEFS_I_RELEASE")]
    Release = 10,

    [CConst("LAKEFS_I_CLONE")]
    Clone = 11,

    [CConst("LAKEFS_I_SHIFT")]
    Shift = 12,

    [CConst("LAKEFS_I_SEAL")]
    Seal = 13,

    [CConst("LAKEFS_I_CHECKED")]
    Checked = 14,

    [CConst("LAKEFS_I_UNSEAL")]
    Unseal = 15,

    [CConst("LAKEFS_I_SHARE")]
    Share = 16,

    [CConst("LAKEFS_I_REMAP")]
    Remap = 17,

    [CConst("LAKEFS_I_POINT")]
    Point = 32,

    [CConst("LAKEFS_I_WINDOW")]
    Window = 36,

    [CConst("LAKEFS_I_ZONE")]
    Zone = 37,

    [CConst("LAKEFS_WAL_OP_EPOCH")]
    WalEpoch = 64,

    [CConst("LAKEFS_WAL_OP_CLEAN")]
    WalClean = 65,

    [CConst("LAKEFS_WAL_OP_OBJECT")]
    WalObject = 66,

    [CConst("LAKEFS_WAL_OP_ARCHIVE")]
    WalArchive = 67,

    /// <summary>How far the scrub of the lake is.</summary>
    [CConst("LAKEFS_WAL_OP_SCRUB")]
    WalScrub = 68,
}
