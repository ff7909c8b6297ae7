// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Metadata.Tables;

/// <summary>Told what becomes of the blocks of a map that is cut.</summary>
public interface IFreedBlocks
{
    /// <summary>The map no longer refers to them; <paramref name="flags"/> are those of their extent.</summary>
    void Freed(ulong physBlock, ulong blocks, uint flags);

    /// <summary>The map that replaces this one has them at the same file blocks.</summary>
    void Kept(ulong physBlock, ulong blocks, uint flags);
}
