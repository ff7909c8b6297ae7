// SPDX-License-Identifier: MPL-2.0
using FASTER.core;

namespace DeepLake.Storage.Faster;

/// <summary>FASTER's key: the page id.</summary>
internal readonly record struct PageKey(ulong Id);

/// <summary>Spreads sequential ids over the index (the finalizer of splitmix64).</summary>
internal sealed class PageKeyComparer : IFasterEqualityComparer<PageKey>
{
    public long GetHashCode64(ref PageKey key)
    {
        ulong x = key.Id + 0x9e3779b97f4a7c15UL;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9UL;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebUL;
        return (long)(x ^ (x >> 31));
    }

    public bool Equals(ref PageKey a, ref PageKey b) => a.Id == b.Id;
}
