// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Metadata.Tables;

/// <summary>Told what becomes of the blocks of a map that is cut.</summary>
public interface IFreedBlocks
{
    /// <summary>So many blocks of a file are mapped no more; <paramref name="flags"/> are those of their extent.</summary>
    void Unmapped(ulong blocks, uint flags);

    /// <summary>
    /// The map no longer refers to these blocks of the device: of each one reference goes. <paramref name="flags"/> are
    /// those of the extent.
    /// </summary>
    void Freed(ulong physBlock, ulong blocks, uint flags);

    /// <summary>The map that replaces this one has them at the same file blocks.</summary>
    void Kept(ulong physBlock, ulong blocks, uint flags);

    /// <summary>
    /// An extent was cut within these blocks of the device, one of a skewed extent, all of a pack: both parts refer to
    /// them from now on.
    /// </summary>
    void CutWithin(ulong physBlock, ulong blocks);
}
