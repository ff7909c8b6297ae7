// SPDX-License-Identifier: MPL-2.0
using DeepLake.Sim;
using NUnit.Framework;

namespace DeepLake.Storage.Tests;

/// <summary>The simulator's store keeps the contract that the real one keeps.</summary>
[TestFixture]
public sealed class TwinPageStoreTests : PageStoreContract
{
    private MemoryBlockDevice _device = new(FasterSetup.DeviceBytes);

    private protected override IPageStore Open(CheckpointTicket? ticket)
    {
        if (ticket is null)
        {
            _device = new MemoryBlockDevice(FasterSetup.DeviceBytes);
        }
        return TwinPageStore.Open(_device, FasterSetup.Geometry, ticket, FasterSetup.TinyMemory);
    }
}
