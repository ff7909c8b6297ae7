// SPDX-License-Identifier: MPL-2.0
using DeepLake.Engine.Scrub;

namespace DeepLake.Laked.Scrub;

/// <summary>
/// Blocks of which the kernel has told that a read of them met something else than was written: so many at
/// most, with the files that mapped them when somebody looked. Any thread.
/// </summary>
internal sealed class DamagedReads
{
    internal const int Most = 256;

    /// <summary>A block that is met again after so long may belong to other files by then.</summary>
    internal const ulong SecondsUntilOld = 60;

    private readonly Lock _lock = new();
    private readonly Dictionary<ulong, Met> _blocks = [];

    /// <summary>A block, how often, when last (Unix time), and who mapped it; null: nobody has looked yet.</summary>
    internal sealed record Met(ulong Block, ulong Times, ulong LastSec, IReadOnlyList<ScrubRun>? Holders);

    /// <summary>Whether somebody has to look whose it is; not when that is known, or it cannot be kept.</summary>
    internal bool Add(ulong block, ulong nowSec)
    {
        lock (_lock)
        {
            if (_blocks.TryGetValue(block, out Met? met))
            {
                bool isOld = nowSec >= met.LastSec + SecondsUntilOld;
                _blocks[block] = met with { Times = met.Times + 1, LastSec = nowSec, Holders = isOld ? null : met.Holders };
                return isOld;
            }

            if (_blocks.Count == Most)
            {
                return false;
            }

            _blocks.Add(block, new Met(block, 1, nowSec, null));
            return true;
        }
    }

    internal void Resolve(ulong block, IReadOnlyList<ScrubRun> holders)
    {
        lock (_lock)
        {
            _blocks[block] = _blocks[block] with { Holders = holders };
        }
    }

    internal IReadOnlyList<Met> Copy()
    {
        lock (_lock)
        {
            return [.. _blocks.Values];
        }
    }

    internal IReadOnlyList<ulong> Unresolved()
    {
        lock (_lock)
        {
            return [.. _blocks.Values.Where(b => b.Holders is null).Select(b => b.Block)];
        }
    }
}
