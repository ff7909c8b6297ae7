// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine;

/// <summary>
/// Files whose data changed since somebody asked last, so that the ingest knows which are quiet. Bounded:
/// when there are too many it says so, and whoever asks looks at all files instead. Allocates nothing
/// after its construction.
/// </summary>
public sealed class ChangedFiles
{
    private const int Most = 1 << 15;

    private readonly HashSet<ulong> _inos = new(Most);
    private ulong _last;

    /// <summary>More files changed than there is room for.</summary>
    public bool HasOverflowed { get; private set; }

    public int Count => _inos.Count;

    internal void Add(ulong ino)
    {
        // most changes follow one of the same file
        if (ino == _last)
        {
            return;
        }

        _last = ino;
        if (_inos.Count < Most)
        {
            _inos.Add(ino);
        }
        else
        {
            HasOverflowed |= !_inos.Contains(ino);
        }
    }

    /// <summary>Puts them into a list and begins anew; whether there were more.</summary>
    public bool Take(List<ulong> into)
    {
        into.AddRange(_inos);
        bool overflowed = HasOverflowed;
        _inos.Clear();
        _last = 0;
        HasOverflowed = false;
        return overflowed;
    }
}
