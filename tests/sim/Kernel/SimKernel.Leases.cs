// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine;
using DeepLake.Platform;

namespace DeepLake.Sim;

/// <summary>What the kernel holds of the daemon's free blocks and inode numbers.</summary>
internal sealed partial class SimKernel
{
    private readonly Queue<ulong> _leased = new();
    private readonly HashSet<ulong> _held = []; // leased or being trimmed
    private readonly List<BlockRange> _trimmed = [];
    private readonly Dictionary<ulong, ulong> _freedBy = [];
    private readonly HashSet<(ulong Seq, ulong Phys)> _convertedFrom = []; // blocks that a map had before
    private readonly Dictionary<ulong, ulong> _unsharedBy = [];
    private ulong _resentAfter;
    private ulong _resentUntil;
    private ulong _inoNext;
    private ulong _inoEnd;

    public void Declare(LakeEngine engine)
    {
        var ranges = _held.Order().Select(b => new DeclaredRange { Start = b, Count = 1, Kind = DeclaredKind.Blocks }).ToList();
        if (_inoEnd > 0)
        {
            ranges.Add(new DeclaredRange { Start = _inoNext, Count = _inoEnd - _inoNext, Kind = DeclaredKind.Inos });
        }

        foreach (IntentMap map in MapsAfter(engine.AppliedSeq))
        {
            ranges.Add(new DeclaredRange { Start = map.PhysBlock, Count = map.Blocks, Kind = DeclaredKind.Blocks });
        }

        foreach (BlockRange range in RemapsAfter(engine.AppliedSeq))
        {
            if (!Planted.Is(PlantedFault.UndurableRemapNotDeclared))
            {
                ranges.Add(new DeclaredRange { Start = range.Start, Count = range.Count, Kind = DeclaredKind.Blocks });
            }
        }

        (_resentAfter, _resentUntil) = (engine.AppliedSeq, LastSeq);
        engine.Declare(ranges.ToArray(), _resentUntil);
    }

    /// <summary>Every block is used, free, in quarantine, or held here; the engine has to count the same.</summary>
    public void CompareSpace(LakeEngine engine)
    {
        EngineStats stats = engine.GetStats();
        ulong told = stats.DataBlocks - stats.UsedBlocks - stats.FreeBlocks - stats.QuarantinedBlocks;
        var waiting = new HashSet<ulong>(_held);
        foreach (IntentMap map in MapsAfter(engine.AppliedSeq))
        {
            for (ulong i = 0; i < map.Blocks; i++)
            {
                if (!_convertedFrom.Contains((map.Header.Seq, map.PhysBlock + i)))
                {
                    waiting.Add(map.PhysBlock + i);
                }
            }
        }

        waiting.UnionWith(HeldForPacks(engine.AppliedSeq));
        if (told != (ulong)waiting.Count)
        {
            throw new SimulationException($"the engine holds {told} blocks for the kernel, which has {waiting.Count}");
        }
    }

    /// <summary>Asks for free ranges to discard; gives back those of earlier.</summary>
    public void Trim(LakeEngine engine, ulong firstBlock, ulong endBlock)
    {
        if (_trimmed.Count > 0)
        {
            Return(engine, _trimmed);
            _trimmed.Clear();
            return;
        }

        ulong from = firstBlock + (ulong)_random.Next((int)(endBlock - firstBlock));
        var request = new RequestTrim
        {
            Header = new RequestHeader { Len = 56, Op = RequestOp.Trim },
            Start = from,
            End = Math.Min(endBlock, from + (ulong)_random.Next(1, 300)),
            MinBlocks = (ulong)_random.Next(1, 10),
            MaxBlocks = (ulong)_random.Next(1, 200),
        };
        byte[] payload = new byte[512];
        int bytes = engine.HandleRequest(MemoryMarshal.AsBytes(new ReadOnlySpan<RequestTrim>(in request)), payload, out _);
        foreach (BlockRange range in MemoryMarshal.Cast<byte, BlockRange>(payload.AsSpan(0, Math.Max(bytes, 0))))
        {
            Hold(range);
            _trimmed.Add(range);
        }
    }

    /// <summary>Gives some of the lease back.</summary>
    public void ReturnSome(LakeEngine engine)
    {
        var ranges = new List<BlockRange>();
        for (int i = _random.Next(1, 40); i > 0 && _leased.TryDequeue(out ulong block); i--)
        {
            ranges.Add(new BlockRange { Start = block, Count = 1 });
        }

        Return(engine, ranges);
    }

    private void Return(LakeEngine engine, List<BlockRange> ranges)
    {
        int header = Unsafe.SizeOf<RequestReturn>();
        byte[] request = new byte[header + (ranges.Count * Unsafe.SizeOf<BlockRange>())];
        MemoryMarshal.Write(request, new RequestReturn
        {
            Header = new RequestHeader { Len = (uint)request.Length, Op = RequestOp.ReturnBlocks },
            Count = (uint)ranges.Count,
        });
        MemoryMarshal.AsBytes<BlockRange>(ranges.ToArray()).CopyTo(request.AsSpan(header));
        int result = engine.HandleRequest(request, new byte[64], out _);
        if (result != 0)
        {
            throw new SimulationException($"blocks that were leased do not go back: {result}");
        }

        foreach (BlockRange range in ranges)
        {
            for (ulong i = 0; i < range.Count; i++)
            {
                _held.Remove(range.Start + i);
            }
        }
    }

    private void ForgetLeases()
    {
        _leased.Clear();
        _held.Clear();
        _trimmed.Clear();
        _packing.Clear();
        _freedBy.Clear();
        _unsharedBy.Clear();
        _convertedFrom.Clear();
        _pending.Clear();
        _inoNext = _inoEnd = _resentUntil = 0;
    }

    private IEnumerable<IntentMap> MapsAfter(ulong seq)
    {
        for (int i = (int)(seq - FirstSeq); i < Records.Count; i++)
        {
            if (MemoryMarshal.Read<IntentHeader>(Records[i]).Op == IntentOp.Map)
            {
                yield return MemoryMarshal.Read<IntentMap>(Records[i]);
            }
        }
    }

    private bool TryTakeIno(LakeEngine engine, out ulong ino)
    {
        if (_inoNext == _inoEnd)
        {
            BlockRange[] ranges = Lease(engine, RequestOp.LeaseInos, 16);
            if (ranges.Length == 0)
            {
                ino = 0;
                return false;
            }

            if (ranges[0].Start < Math.Max(_inoEnd, LakeFormat.FirstIno) || _tree.Inodes.Keys.Any(i => i >= ranges[0].Start))
            {
                throw new SimulationException($"inode numbers from {ranges[0].Start} on are leased, and are in use");
            }

            _inoNext = ranges[0].Start;
            _inoEnd = _inoNext + ranges[0].Count;
        }

        ino = _inoNext++;
        return true;
    }

    private bool TryTakeBlocks(LakeEngine engine, int count, out ulong start)
    {
        start = 0;
        if (_leased.Count < count)
        {
            foreach (BlockRange range in Lease(engine, RequestOp.LeaseBlocks, (ulong)_mix.LeaseBlocks))
            {
                Hold(range);
                for (ulong i = 0; i < range.Count; i++)
                {
                    _leased.Enqueue(range.Start + i);
                }
            }
        }

        // a contiguous run from the front of the lease
        ulong[] run = [.. _leased.Take(count)];
        if (run.Length == 0)
        {
            return false;
        }

        if (run.Length < count || !run.SequenceEqual(Enumerable.Range(0, count).Select(i => run[0] + (ulong)i)))
        {
            _leased.Enqueue(_leased.Dequeue());
            return false;
        }

        start = run[0];
        for (int i = 0; i < count; i++)
        {
            _leased.Dequeue();
            _held.Remove(run[i]);
        }

        return true;
    }

    private void Hold(BlockRange range)
    {
        for (ulong block = range.Start; block < range.Start + range.Count; block++)
        {
            RequireFree(block);
            _held.Add(block);
        }
    }

    private void RequireFree(ulong block)
    {
        if (_tree.Refs.ContainsKey(block) || _held.Contains(block) || _packing.Contains(block))
        {
            throw new SimulationException($"block {block} is leased, and is in use or leased already");
        }

        if (_freedBy.TryGetValue(block, out ulong seq) && seq > AckedSeq)
        {
            throw new SimulationException($"block {block} is leased, freed by {seq}, which is not durable yet ({AckedSeq})");
        }
    }

    private static BlockRange[] Lease(LakeEngine engine, RequestOp op, ulong want)
    {
        var request = new RequestLease { Header = new RequestHeader { Len = 40, Op = op }, Want = want };
        byte[] payload = new byte[4096];
        int bytes = engine.HandleRequest(MemoryMarshal.AsBytes(new ReadOnlySpan<RequestLease>(in request)), payload, out _);
        if (bytes < 0 && bytes != -(int)Errno.ENOSPC)
        {
            throw new SimulationException($"{op} was answered with {bytes}");
        }

        return bytes <= 0 ? [] : MemoryMarshal.Cast<byte, BlockRange>(payload.AsSpan(0, bytes)).ToArray();
    }
}
