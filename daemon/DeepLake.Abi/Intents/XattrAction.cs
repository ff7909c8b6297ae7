// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Abi;

/// <summary>What an XATTR intent does.</summary>
public enum XattrAction : ushort
{
    [CConst("LAKEFS_XATTR_SET")]
    Set = 1,

    [CConst("LAKEFS_XATTR_REMOVE")]
    Remove = 2,
}
