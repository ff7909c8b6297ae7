// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Metadata.Tree;

/// <summary>
/// Reading ahead for keys that are known before they are used (the replay of the log): one level of the
/// tree after the other, so that the device has as many reads to do at once as there are pages.
/// </summary>
public sealed unsafe partial class BTree
{
    /// <summary>Whether <see cref="ReadAhead"/> does anything.</summary>
    public bool ReadsAhead => _cache.ReadsAhead;

    /// <summary>Brings the pages on the way to these keys and their leaves near; changes nothing.</summary>
    /// <param name="keys">In any order; sorted here.</param>
    /// <exception cref="MetadataCorruptException">A page on the way is damaged.</exception>
    public void ReadAhead(Span<TreeKey> keys)
    {
        if (!ReadsAhead || keys.IsEmpty)
        {
            return;
        }

        keys.Sort();
        ulong[] pages = new ulong[keys.Length];
        pages.AsSpan().Fill(_meta.Root);
        for (int level = (int)_meta.Height - 1; level > 0; level--)
        {
            _cache.ReadAhead(pages);
            for (int i = 0; i < keys.Length; i++)
            {
                _cache.BeginOperation();
                var page = new TreePage(_cache.Get(pages[i]));
                if (page.Level != level || page.Count == 0)
                {
                    throw new MetadataCorruptException($"metadata page {pages[i]} is no inner page of level {level}");
                }

                pages[i] = page.Child(page.ChildIndex(keys[i]));
            }
        }

        _cache.ReadAhead(pages);
    }
}
