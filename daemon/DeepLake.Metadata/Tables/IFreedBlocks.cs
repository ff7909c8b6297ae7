// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Metadata.Tables;

/// <summary>Told of blocks that a map no longer refers to.</summary>
public interface IFreedBlocks
{
    void Freed(ulong physBlock, ulong blocks);
}
