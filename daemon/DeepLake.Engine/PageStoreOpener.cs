// SPDX-License-Identifier: MPL-2.0
using DeepLake.Storage;

namespace DeepLake.Engine;

/// <summary>Opens a page store in its regions of a device, as of a ticket or empty.</summary>
internal delegate IPageStore PageStoreOpener(
    IBlockDevice device, PageStoreGeometry geometry, CheckpointTicket? ticket, PageStoreOptions? options);
