// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Metadata.Tables;

/// <summary>Decides what becomes of the marks of written extents, one after the other.</summary>
public interface IMarkedExtents
{
    /// <summary>The flags that the extent has from now on; nothing may use the tree meanwhile.</summary>
    uint FlagsOf(in Extent extent);
}
