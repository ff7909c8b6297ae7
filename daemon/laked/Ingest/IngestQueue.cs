// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Laked.Ingest;

/// <summary>
/// Files and when their time comes. Bounded: what does not fit is forgotten, and said to be, so that all
/// files are searched later. One thread.
/// </summary>
internal sealed class IngestQueue
{
    private const int Most = 1 << 16;

    private readonly Dictionary<ulong, TimeSpan> _due = [];
    private readonly List<ulong> _ready = [];

    /// <summary>Files were forgotten; the caller clears it when it begins to search.</summary>
    public bool HasForgotten { get; set; }

    public int Count => _due.Count;

    public void Put(ulong ino, TimeSpan due)
    {
        if (_due.Count < Most || _due.ContainsKey(ino))
        {
            _due[ino] = due;
        }
        else
        {
            HasForgotten = true;
        }
    }

    public bool Contains(ulong ino) => _due.ContainsKey(ino);

    /// <summary>For what is not waiting already.</summary>
    public void PutIfAbsent(ulong ino, TimeSpan due)
    {
        if (!_due.ContainsKey(ino))
        {
            Put(ino, due);
        }
    }

    /// <summary>Takes the files whose time has come; valid until the next call.</summary>
    public IReadOnlyList<ulong> TakeDue(TimeSpan now)
    {
        _ready.Clear();
        foreach ((ulong ino, TimeSpan due) in _due)
        {
            if (due <= now)
            {
                _ready.Add(ino);
            }
        }

        foreach (ulong ino in _ready)
        {
            _due.Remove(ino);
        }

        return _ready;
    }
}
