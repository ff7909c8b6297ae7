// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Check;

/// <summary>
/// Damaged data as findings. A file that has much of it does not take the room of the next one: its first
/// places are described, the rest is one finding. Files come one after the other.
/// </summary>
internal sealed class DamagedPlaces(Findings findings, int perFile)
{
    private ulong _ino;
    private NamedInode? _named;
    private (ulong First, ulong End) _last;
    private long _places;

    /// <param name="ino">The file.</param>
    /// <param name="named">For the findings.</param>
    /// <param name="firstBlock">Of the file.</param>
    /// <param name="endBlock">Behind the last.</param>
    /// <param name="where">On the device; what a place of several device blocks has in common with the one before is told once.</param>
    /// <param name="what">That is wrong.</param>
    public void Add(ulong ino, NamedInode named, ulong firstBlock, ulong endBlock, string where, FormattableString what)
    {
        if (ino != _ino)
        {
            Finish();
            (_ino, _named, _last) = (ino, named, default);
        }

        if (_last == (firstBlock, endBlock))
        {
            return;
        }

        _last = (firstBlock, endBlock);
        if (++_places <= perFile)
        {
            findings.AddDamage($"{named}: its bytes {firstBlock * LakeFormat.BlockSize} to {(endBlock * LakeFormat.BlockSize) - 1} are damaged{where}: {what}");
        }
    }

    /// <summary>After the last file.</summary>
    public void Finish()
    {
        if (_places > perFile)
        {
            findings.AddDamage($"{_named}: {_places - perFile} more places of it are damaged, the last one at its bytes {_last.First * LakeFormat.BlockSize} to {(_last.End * LakeFormat.BlockSize) - 1}");
        }

        _places = 0;
    }
}
