// SPDX-License-Identifier: MPL-2.0
using DeepLake.Storage.Faster;
using NUnit.Framework;

namespace DeepLake.Storage.Tests;

[TestFixture]
public sealed class FasterPageStoreTests : PageStoreContract
{
    private MemoryBlockDevice _device = null!;

    private protected override IPageStore Open(CheckpointTicket? ticket)
    {
        if (ticket == null)
        {
            _device = new MemoryBlockDevice(FasterSetup.DeviceBytes);
        }
        return FasterPageStore.Open(_device, FasterSetup.Geometry, ticket, FasterSetup.TinyMemory);
    }
}
