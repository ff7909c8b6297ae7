// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Abi;

/// <summary>Flags of a rename intent.</summary>
public static class RenameFlags
{
    [CConst("LAKEFS_RENAME_EXCHANGE")]
    public const uint Exchange = 0x1u;

    [CConst("LAKEFS_RENAME_WHITEOUT")]
    public const uint Whiteout = 0x2u;
}
