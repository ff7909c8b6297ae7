// SPDX-License-Identifier: MPL-2.0
using NUnit.Framework;

namespace DeepLake.Storage.Tests;

/// <summary>What every page store must do; each implementation runs the whole suite.</summary>
public abstract class PageStoreContract
{
    private protected IPageStore Store { get; private set; } = null!;

    private protected abstract IPageStore Open(CheckpointTicket? ticket);

    [SetUp]
    public void OpenEmpty() => Store = Open(null);

    [TearDown]
    public void Close() => Store.Dispose();

    [Test]
    public void TryRead_OfAPageNeverWritten_IsFalse()
    {
        Assert.That(Store.TryRead(5, new byte[4096]), Is.False);
        Assert.That(Store.LivePages, Is.Zero);
    }

    [Test]
    public void TryRead_GivesWhatWasWritten()
    {
        Put(7, 1);
        Put(8, 2);
        AssertPage(7, 1);
        AssertPage(8, 2);
        Assert.That(Store.LivePages, Is.EqualTo(2));
    }

    [Test]
    public void Write_Again_Replaces_AndCountsOnce()
    {
        Put(7, 1);
        Put(7, 2);
        AssertPage(7, 2);
        Assert.That(Store.LivePages, Is.EqualTo(1));
    }

    [TestCase(0UL)]
    [TestCase(1UL)]
    [TestCase(ulong.MaxValue)]
    [TestCase(1UL << 63)]
    public void Write_AcceptsEveryId(ulong id)
    {
        Put(id, 3);
        AssertPage(id, 3);
        Assert.That(Store.Delete(id), Is.True);
        Assert.That(Store.TryRead(id, new byte[4096]), Is.False);
    }

    [Test]
    public void Write_LeavesTheCallersBytesAlone_AndIgnoresTheFirstFour()
    {
        byte[] page = TestPages.Make(1, 1);
        page[0] = 0xaa;
        byte[] copy = [.. page];
        Store.Write(1, page);
        Assert.That(page, Is.EqualTo(copy));
        AssertPage(1, 1);
    }

    [Test]
    public void Delete_RemovesThePage_AndSaysWhetherItWasThere()
    {
        Put(7, 1);
        Assert.That(Store.Delete(7), Is.True);
        Assert.That(Store.Delete(7), Is.False);
        Assert.That(Store.Delete(99), Is.False);
        Assert.That(Store.TryRead(7, new byte[4096]), Is.False);
        Assert.That(Store.LivePages, Is.Zero);
        Put(7, 4);
        AssertPage(7, 4);
    }

    [Test]
    public void WrongPageSizes_AreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Store.Write(1, new byte[100]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Store.TryRead(1, new byte[8192]));
    }

    [Test]
    public void Reopen_WithATicket_GivesExactlyThatCheckpoint()
    {
        Put(1, 1);
        Put(2, 1);
        CheckpointTicket ticket = Store.Checkpoint();
        Put(1, 2);
        Put(3, 2);
        Store.Delete(2);
        Reopen(ticket);
        AssertPage(1, 1);
        AssertPage(2, 1);
        Assert.That(Store.TryRead(3, new byte[4096]), Is.False);
        Assert.That(Store.LivePages, Is.EqualTo(2));
    }

    [Test]
    public void Reopen_AfterChangesToCheckpointedPages_KeepsThem()
    {
        Put(1, 1);
        Store.Checkpoint();
        Put(1, 2);
        Store.Delete(1);
        Put(1, 3);
        Put(2, 3);
        Reopen(Store.Checkpoint());
        AssertPage(1, 3);
        AssertPage(2, 3);
        Put(2, 4);
        Reopen(Store.Checkpoint());
        AssertPage(2, 4);
    }

    [Test]
    public void Reopen_WithTheOlderTicket_GivesTheOlderState()
    {
        Put(1, 1);
        CheckpointTicket older = Store.Checkpoint();
        Put(1, 2);
        Put(2, 2);
        Store.Checkpoint();
        Put(1, 3);
        Reopen(older);
        AssertPage(1, 1);
        Assert.That(Store.TryRead(2, new byte[4096]), Is.False);
        Assert.That(Store.LivePages, Is.EqualTo(1));
        Put(5, 9);
        Reopen(Store.Checkpoint());
        AssertPage(1, 1);
        AssertPage(5, 9);
    }

    [Test]
    public void Checkpoint_OfAnEmptyStore_Recovers()
    {
        Reopen(Store.Checkpoint());
        Assert.That(Store.LivePages, Is.Zero);
        Put(1, 1);
        Reopen(Store.Checkpoint());
        AssertPage(1, 1);
        Store.Delete(1);
        Reopen(Store.Checkpoint());
        Assert.That(Store.LivePages, Is.Zero);
        Assert.That(Store.TryRead(1, new byte[4096]), Is.False);
    }

    [Test]
    public void AHeldCheckpoint_CanBeOpened_AfterManyLaterOnes()
    {
        Put(1, 1);
        Put(2, 1);
        CheckpointTicket ticket = Store.Checkpoint();
        Assert.That(Store.Hold(), Is.True);
        Assert.That(Store.Hold(), Is.False);
        for (int version = 2; version < 8; version++)
        {
            for (ulong id = 1; id < 100; id++)
            {
                Put(id, version);
            }
            Store.Checkpoint();
        }
        using (IPageStore held = Open(ticket))
        {
            var page = new byte[4096];
            Assert.That(held.LivePages, Is.EqualTo(2));
            Assert.That(held.TryRead(2, page) && page.AsSpan(4).SequenceEqual(TestPages.Make(2, 1).AsSpan(4)), Is.True);
        }
        Assert.That(Store.Release(), Is.True);
        Assert.That(Store.Release(), Is.False);
        AssertPage(2, 7);
    }

    [Test]
    public void Checkpoint_PreparedInSlices_HoldsWhatCameBetween()
    {
        for (ulong id = 1; id < 600; id++)
        {
            Put(id, 1);
        }
        for (int slice = 0; Store.PrepareSlice(); slice++)
        {
            Put((ulong)slice + 1, 2);
            Assert.That(slice, Is.LessThan(600));
        }
        Put(700, 3);
        Reopen(Store.Checkpoint());
        AssertPage(599, 1);
        AssertPage(700, 3);
    }

    [Test]
    public void Checkpoint_WithoutChanges_CanBeRepeated()
    {
        Put(1, 1);
        for (int i = 0; i < 5; i++)
        {
            Store.Checkpoint();
        }
        Reopen(Store.Checkpoint());
        AssertPage(1, 1);
    }

    [Test]
    public void Checkpoint_TicketFitsItsSlot()
    {
        for (ulong id = 0; id < 2000; id++)
        {
            Put(id, 1);
        }
        Assert.That(Store.Checkpoint().Bytes.Length, Is.LessThanOrEqualTo(CheckpointTicket.MaxBytes));
    }

    [Test]
    public void Open_RefusesADamagedTicket()
    {
        Put(1, 1);
        byte[] bytes = Store.Checkpoint().Bytes.ToArray();
        bytes[5] ^= 1;
        Assert.Throws<StorageException>(() => Open(new CheckpointTicket(bytes)).Dispose());
        Assert.Throws<StorageException>(() => Open(new CheckpointTicket(bytes.AsSpan(0, 3))).Dispose());
        Assert.Throws<StorageException>(() => Open(new CheckpointTicket([])).Dispose());
    }

    [Test]
    public void RandomOperations_MatchAModel([Values(1, 2, 3)] int seed)
    {
        var random = new Random(seed);
        var model = new PageModel();
        PageModel published = model.Copy();
        CheckpointTicket? ticket = null;
        for (int step = 0; step < 6000; step++)
        {
            if (Store.CheckpointDue || random.Next(400) == 0)
            {
                ticket = Store.Checkpoint();
                published = model.Copy();
            }
            if (random.Next(1500) == 0)
            {
                Reopen(ticket);
                model = published.Copy();
            }
            model.RandomStep(Store, random, ids: 900);
        }
        model.AssertEquals(Store);
    }

    private protected void Reopen(CheckpointTicket? ticket)
    {
        Store.Dispose();
        Store = Open(ticket);
    }

    private protected void Put(ulong id, int version) => Store.Write(id, TestPages.Make(id, version));

    private protected void AssertPage(ulong id, int version)
    {
        var page = new byte[4096];
        Assert.That(Store.TryRead(id, page), Is.True, $"page {id}");
        Assert.That(page.AsSpan(4).SequenceEqual(TestPages.Make(id, version).AsSpan(4)), Is.True, $"bytes of page {id}");
    }
}
