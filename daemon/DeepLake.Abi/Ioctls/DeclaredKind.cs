// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Abi;

/// <summary>What a declared range is.</summary>
public enum DeclaredKind : uint
{
    [CConst("LAKEFS_DECLARE_BLOCKS")]
    Blocks = 1,

    [CConst("LAKEFS_DECLARE_INOS")]
    Inos = 2,

    [CConst("LAKEFS_DECLARE_ORPHAN")]
    Orphan = 3,
}
