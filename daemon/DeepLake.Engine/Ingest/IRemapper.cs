// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Platform;

namespace DeepLake.Engine.Ingest;

/// <summary>The kernel, as far as packing goes: it is asked, and decides (docs/ring-protocol.md, "Remapping").</summary>
public interface IRemapper
{
    /// <summary>EAGAIN: the map changed after the look, or not all is checked. Otherwise nothing was changed either.</summary>
    Errno Remap(ref RemapArgs args);
}
