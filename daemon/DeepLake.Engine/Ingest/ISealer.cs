// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Platform;

namespace DeepLake.Engine.Ingest;

/// <summary>The kernel, as far as sealing goes: it is asked, and decides (docs/ring-protocol.md, "Sealing").</summary>
public interface ISealer : ISharer
{
    /// <summary>EAGAIN: the map changed after the look, or data is on its way. Otherwise nothing was changed either.</summary>
    Errno Seal(ref SealArgs args);

    Errno Checked(ref SealArgs args);

    Errno Unseal(ref SealArgs args);
}
