// SPDX-License-Identifier: MPL-2.0
using NUnit.Framework;

namespace DeepLake.Storage.Tests;

/// <summary>What a page store should hold: id → version of <see cref="TestPages"/>.</summary>
internal sealed class PageModel
{
    private readonly Dictionary<ulong, int> _versions;
    private int _nextVersion;

    internal PageModel()
        : this([], 1)
    {
    }

    private PageModel(Dictionary<ulong, int> versions, int nextVersion)
    {
        _versions = versions;
        _nextVersion = nextVersion;
    }

    internal int Count => _versions.Count;

    internal PageModel Copy() => new(new Dictionary<ulong, int>(_versions), _nextVersion);

    /// <summary>One write, delete or checked read.</summary>
    internal void RandomStep(IPageStore store, Random random, int ids)
    {
        var id = (ulong)random.Next(ids);
        switch (random.Next(10))
        {
            case < 6:
                int version = _nextVersion++;
                store.Write(id, TestPages.Make(id, version));
                _versions[id] = version;
                break;
            case < 8:
                bool existed = store.Delete(id);
                Assert.That(existed, Is.EqualTo(_versions.Remove(id)), $"delete of page {id}");
                break;
            default:
                AssertPage(store, id);
                break;
        }
    }

    internal void AssertEquals(IPageStore store)
    {
        string? difference = Difference(store);
        Assert.That(difference, Is.Null);
    }

    /// <summary>The first way in which the store differs, or null.</summary>
    internal string? Difference(IPageStore store, ulong maxId = 4096)
    {
        if (store.LivePages != _versions.Count)
        {
            return $"{store.LivePages} live pages instead of {_versions.Count}";
        }
        var page = new byte[4096];
        for (ulong id = 0; id < maxId; id++)
        {
            bool found = store.TryRead(id, page);
            bool expected = _versions.TryGetValue(id, out int version);
            if (found != expected)
            {
                return $"page {id}: found {found}, expected {expected}";
            }
            if (found && !page.AsSpan(4).SequenceEqual(TestPages.Make(id, version).AsSpan(4)))
            {
                return $"page {id} has other bytes than version {version}";
            }
        }
        return null;
    }

    private void AssertPage(IPageStore store, ulong id)
    {
        var page = new byte[4096];
        bool found = store.TryRead(id, page);
        Assert.That(found, Is.EqualTo(_versions.TryGetValue(id, out int version)), $"page {id}");
        if (found)
        {
            Assert.That(page.AsSpan(4).SequenceEqual(TestPages.Make(id, version).AsSpan(4)), Is.True, $"bytes of page {id}");
        }
    }
}
