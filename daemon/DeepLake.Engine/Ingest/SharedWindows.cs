// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Ingest;

/// <summary>Shared blocks that are to be packed, until it is known who has them. Bounded.</summary>
public sealed class SharedWindows
{
    /// <summary>Up to 4 GiB of blocks; a search through all maps is made for as many.</summary>
    private const int Most = 32768;

    private readonly Dictionary<ulong, uint> _windows = [];

    public bool IsFull => _windows.Count >= Most;

    public bool IsEmpty => _windows.Count == 0;

    public void Add(SharedWindow window) => _windows.TryAdd(window.Start, window.Blocks);

    /// <summary>All of them, by their start; one that overlaps the one before is left out. None is left here.</summary>
    public SharedWindow[] Take()
    {
        var windows = new List<SharedWindow>(_windows.Count);
        foreach ((ulong start, uint blocks) in _windows.OrderBy(w => w.Key))
        {
            if (windows.Count == 0 || windows[^1].End <= start)
            {
                windows.Add(new SharedWindow(start, blocks));
            }
        }

        _windows.Clear();
        return [.. windows];
    }
}
