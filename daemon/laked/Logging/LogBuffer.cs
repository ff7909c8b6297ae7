// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Laked.Logging;

/// <summary>
/// Log lines between those who log and the one thread that writes. Adding never waits for a file or a
/// reader: when the writer falls behind, lines are dropped and counted.
/// </summary>
internal sealed class LogBuffer
{
    private const int QueueLines = 2048;
    private const int KeptLines = 1000;
    private const int MaxLineChars = 2000;

    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _arrived = new(0);
    private readonly Queue<string> _queue = new();
    private readonly Queue<string> _kept = new();
    private ulong _dropped;
    private ulong _droppedReported;
    private bool _isClosed;

    internal ulong Dropped
    {
        get
        {
            lock (_lock)
            {
                return _dropped;
            }
        }
    }

    internal void Add(string line)
    {
        if (line.Length > MaxLineChars)
        {
            line = string.Concat(line.AsSpan(0, MaxLineChars), "...");
        }
        lock (_lock)
        {
            _kept.Enqueue(line);
            if (_kept.Count > KeptLines)
            {
                _kept.Dequeue();
            }
            if (_queue.Count >= QueueLines || _isClosed)
            {
                _dropped++;
                return;
            }
            _queue.Enqueue(line);
        }
        _arrived.Release();
    }

    /// <summary>The newest lines, oldest first.</summary>
    internal string[] Last(int count)
    {
        lock (_lock)
        {
            return [.. _kept.Skip(Math.Max(0, _kept.Count - count))];
        }
    }

    /// <summary>Waits for lines; null once closed and empty.</summary>
    internal string? Take()
    {
        _arrived.Wait();
        lock (_lock)
        {
            if (_dropped > _droppedReported)
            {
                ulong lost = _dropped - _droppedReported;
                _droppedReported = _dropped;
                _arrived.Release();
                return $"({lost} log lines were dropped here)";
            }
            return _queue.TryDequeue(out string? line) ? line : null;
        }
    }

    /// <summary>No more lines; the writer ends when it has written what is there.</summary>
    internal void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
        }
        _arrived.Release();
    }
}
