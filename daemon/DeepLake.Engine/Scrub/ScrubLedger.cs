// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Engine.Scrub;

/// <summary>
/// How far the scrub of a lake is, and what it has found: bounded, the first of it with names. Any thread;
/// what becomes durable of it is its owner's business (<see cref="ScrubRecord"/>).
/// </summary>
public sealed class ScrubLedger
{
    /// <summary>Ranges of files that are kept with what is known of them.</summary>
    public const int FindingsMost = 256;

    private readonly Lock _lock = new();
    private readonly List<ScrubFinding> _findings = [];
    private ScrubItem _item;
    private ulong _leftOut;

    public bool IsRunning => Get().State == ScrubStage.Running;

    public ulong Pass => Get().Pass;

    /// <summary>Wanted; 0: nobody has said.</summary>
    public ulong BytesPerSecond => Get().BytesPerSecond;

    public ScrubPosition Position
    {
        get
        {
            ScrubItem item = Get();
            return new ScrubPosition(item.Ino, item.FileBlock);
        }
    }

    /// <summary>Takes up what an earlier one wrote down.</summary>
    public void Load(ScrubRecord record)
    {
        lock (_lock)
        {
            _item = record.Item;
            _findings.Clear();
            _findings.AddRange(record.Findings);
            _leftOut = 0;
        }
    }

    /// <summary>Begins a pass, or goes on with one that was stopped; false when one is under way. The rate is taken in any case.</summary>
    public bool Start(ulong bytesPerSecond, ulong nowSec)
    {
        lock (_lock)
        {
            _item.BytesPerSecond = bytesPerSecond;
            if (_item.State == ScrubStage.Running)
            {
                return false;
            }

            if (_item.State == ScrubStage.Idle)
            {
                _item.Pass++;
                (_item.Ino, _item.FileBlock, _item.Blocks, _item.Damaged) = (0, 0, 0, 0);
                _item.BegunSec = nowSec;
            }

            _item.State = ScrubStage.Running;
            return true;
        }
    }

    /// <summary>False when none is under way.</summary>
    public bool Stop()
    {
        lock (_lock)
        {
            if (_item.State != ScrubStage.Running)
            {
                return false;
            }

            _item.State = ScrubStage.Stopped;
            return true;
        }
    }

    /// <summary>So many blocks of files have been compared, up to there.</summary>
    public void Move(ScrubPosition next, ulong blocks)
    {
        lock (_lock)
        {
            (_item.Ino, _item.FileBlock) = (next.Ino, next.FileBlock);
            _item.Blocks += blocks;
        }
    }

    /// <summary>Blocks of the device.</summary>
    public void CountDamaged(ulong blocks)
    {
        lock (_lock)
        {
            _item.Damaged += blocks;
        }
    }

    /// <summary>Adds a block, or what a file has in a pack; false when it is known. What lies behind another one is one finding with it.</summary>
    public bool Note(in ScrubFinding found)
    {
        lock (_lock)
        {
            for (int i = 0; i < _findings.Count; i++)
            {
                ScrubFinding old = _findings[i];
                if (old.Ino != found.Ino || found.FileBlock < old.FileBlock || found.PhysBlock - old.PhysBlock != found.FileBlock - old.FileBlock)
                {
                    continue;
                }

                if (found.FileBlock < old.FileBlock + old.Blocks && old.Pass == found.Pass)
                {
                    return false;
                }

                if (found.FileBlock < old.FileBlock + old.Blocks)
                {
                    Take(i, old, found); // an earlier pass found it, too
                    return true;
                }

                if (found.FileBlock == old.FileBlock + old.Blocks && old.Pass == found.Pass && old.Kind == found.Kind)
                {
                    _findings[i] = old with { Blocks = old.Blocks + found.Blocks };
                    return true;
                }
            }

            Add(found);
            return true;
        }
    }

    /// <summary>The pass has come to its end; what only earlier ones found is not there any more.</summary>
    public void End(ulong nowSec)
    {
        lock (_lock)
        {
            _item.State = ScrubStage.Idle;
            (_item.EndedPass, _item.EndedSec, _item.EndedBlocks, _item.EndedDamaged) = (_item.Pass, nowSec, _item.Blocks, _item.Damaged);
            _findings.RemoveAll(f => f.Pass != _item.Pass);
        }
    }

    /// <summary>All there is to know now.</summary>
    public ScrubRecord Copy()
    {
        lock (_lock)
        {
            return new ScrubRecord(_item, [.. _findings]) { LeftOut = _leftOut };
        }
    }

    private void Take(int at, in ScrubFinding old, in ScrubFinding found)
    {
        _findings.RemoveAt(at);
        uint before = (uint)(found.FileBlock - old.FileBlock);
        uint behind = old.Blocks - before - Math.Min(found.Blocks, old.Blocks - before);
        if (before > 0)
        {
            Add(old with { Blocks = before });
        }

        if (behind > 0)
        {
            Add(old with { FileBlock = found.FileBlock + found.Blocks, PhysBlock = found.PhysBlock + found.Blocks, Blocks = behind });
        }

        ScrubFinding now = found;
        int joins = _findings.FindIndex(f => f.Ino == now.Ino && f.Pass == now.Pass && f.Kind == now.Kind
            && f.FileBlock + f.Blocks == now.FileBlock && f.PhysBlock + f.Blocks == now.PhysBlock);
        if (joins >= 0)
        {
            _findings[joins] = _findings[joins] with { Blocks = _findings[joins].Blocks + found.Blocks };
        }
        else
        {
            Add(found);
        }
    }

    private void Add(in ScrubFinding finding)
    {
        if (_findings.Count < FindingsMost)
        {
            _findings.Add(finding);
        }
        else
        {
            _leftOut++;
        }
    }

    private ScrubItem Get()
    {
        lock (_lock)
        {
            return _item;
        }
    }
}
