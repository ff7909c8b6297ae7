// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Abi;

/// <summary>What is known of a file besides its identity.</summary>
public static class ObjectFlags
{
    /// <summary>It was packed as far as it is worth it, or it is not worth it.</summary>
    [CConst("LAKEFS_OBJECT_PACKED")]
    public const uint Packed = 0x1u;
}
