// SPDX-License-Identifier: MPL-2.0
using System.Buffers.Binary;
using FASTER.core;

namespace DeepLake.Storage.Faster;

/// <summary>
/// Damage found while the log of a checkpoint is read. A damaged record matters only if no newer one of
/// its page is there: the log is full of older versions. Which page a damaged record is of has to be
/// certain for that.
/// </summary>
internal sealed unsafe class DamagedRecords(LogLayout layout)
{
    private const int IdOffset = 8; // in a page of the metadata tree: its own number

    private readonly Dictionary<ulong, Versions> _pages = [];
    private string? _unknown;

    /// <summary>What makes the checkpoint useless; null: nothing.</summary>
    internal string? Problem
    {
        get
        {
            foreach ((ulong page, Versions versions) in _pages)
            {
                if (versions.NewestDamaged > versions.NewestWhole)
                {
                    return $"page {page} at log address {versions.NewestDamaged}";
                }
            }
            return _unknown;
        }
    }

    /// <summary>Looks at one record of the checkpoint; parts of the log may be looked at again.</summary>
    /// <param name="address">Where it is in the log.</param>
    /// <param name="at">Its bytes. A key that is certainly wrong is put right here, so that it leads nobody astray.</param>
    internal void Look(long address, byte* at)
    {
        ref RecordInfo info = ref *(RecordInfo*)at;
        ulong header = *(ulong*)at;
        if (header == LogLayout.GivenUp)
        {
            return;
        }
        if (header == 0 || !IsPlausible(address, info.PreviousAddress))
        {
            _unknown ??= $"the header of the record at log address {address}";
            return;
        }
        ulong key = LogLayout.PageId(at);
        Span<byte> page = LogLayout.Page(at);
        if (!info.Invalid && (info.Tombstone || PageFormat.IsIntact(key, page)))
        {
            if (_pages.Count > 0 && _pages.TryGetValue(key, out Versions seen))
            {
                _pages[key] = seen with { NewestWhole = Math.Max(seen.NewestWhole, address) };
            }
            return;
        }
        ulong own = BinaryPrimitives.ReadUInt64LittleEndian(page[IdOffset..]);
        if (own != key && !PageFormat.IsIntact(own, page))
        {
            _unknown ??= $"the record at log address {address}";
            return;
        }
        *(ulong*)(at + LogLayout.HeaderBytes) = own;
        Versions known = _pages.GetValueOrDefault(own);
        _pages[own] = known with { NewestDamaged = Math.Max(known.NewestDamaged, address) };
    }

    // Records are chained to older ones, each of which begins where a record can.
    private bool IsPlausible(long address, long previous) =>
        previous <= LogLayout.NoAddress || (previous < address && layout.FirstRecordAtOrAfter(previous) == previous);

    private readonly record struct Versions(long NewestDamaged, long NewestWhole);
}
