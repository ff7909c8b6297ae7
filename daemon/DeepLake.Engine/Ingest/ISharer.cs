// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Platform;

namespace DeepLake.Engine.Ingest;

/// <summary>The kernel, as far as equal files go: it is asked, and decides (docs/ring-protocol.md, "Sharing").</summary>
public interface ISharer
{
    /// <summary>EAGAIN: a map changed after the look, or not all is checked. Otherwise nothing was changed either.</summary>
    Errno Share(ref ShareArgs args);
}
