// SPDX-License-Identifier: MPL-2.0
using NUnit.Framework;

namespace DeepLake.Storage.Tests;

[TestFixture]
public sealed class MemoryPageStoreTests : PageStoreContract
{
    private MemoryPageMedium _medium = new(4000);

    private protected override IPageStore Open(CheckpointTicket? ticket)
    {
        if (ticket == null)
        {
            _medium = new MemoryPageMedium(4000);
        }
        return MemoryPageStore.Open(_medium, ticket);
    }

    [Test]
    public void TornCheckpoint_LeavesThePreviousOne()
    {
        Put(1, 1);
        CheckpointTicket ticket = Store.Checkpoint();
        Put(1, 2);
        ((MemoryPageStore)Store).CrashInCheckpoint();
        Reopen(ticket);
        AssertPage(1, 1);
    }
}
