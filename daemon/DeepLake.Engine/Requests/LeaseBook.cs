// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine.State;
using DeepLake.Platform;

namespace DeepLake.Engine.Requests;

/// <summary>
/// Leases of blocks and inode numbers. Memory only: a successor learns them from the kernel, and after
/// a crash of the machine nobody holds them any more (docs/ring-protocol.md).
/// </summary>
internal sealed class LeaseBook(LakeState state)
{
    private const ulong InosPerLease = 4096;
    private const ulong BlocksPerLease = 1 << 18;
    private const int RangesPerReply = 256;
    private ulong _nextIno = state.Counters.NextIno;

    /// <summary>What the kernel holds from a predecessor of this engine.</summary>
    public void Declare(ReadOnlySpan<DeclaredRange> ranges)
    {
        foreach (DeclaredRange range in ranges)
        {
            if (Planted.Is(range.Kind == DeclaredKind.Inos ? PlantedFault.DeclaredInosIgnored : PlantedFault.DeclaredBlocksIgnored))
            {
                continue;
            }

            if (range.Kind == DeclaredKind.Inos)
            {
                _nextIno = Math.Max(_nextIno, range.Start + range.Count);
            }
            else if (range.Kind == DeclaredKind.Blocks)
            {
                if (!state.Space.Contains(range.Start, range.Count))
                {
                    throw new IntentFaultException($"the kernel declares blocks {range.Start}+{range.Count}, which are no data blocks");
                }

                state.Space.HoldLeased(range.Start, range.Count);
            }
        }
    }

    public int LeaseInos(ReadOnlySpan<byte> request, Span<byte> payload)
    {
        if (request.Length < Unsafe.SizeOf<RequestLease>())
        {
            return -(int)Errno.EINVAL;
        }

        ulong count = Math.Clamp(MemoryMarshal.Read<RequestLease>(request).Want, 1, InosPerLease);
        _nextIno = Math.Max(_nextIno, state.Counters.NextIno);
        var range = new BlockRange { Start = _nextIno, Count = count };
        _nextIno += count;
        MemoryMarshal.Write(payload, range);
        return Unsafe.SizeOf<BlockRange>();
    }

    public int LeaseBlocks(ReadOnlySpan<byte> request, Span<byte> payload)
    {
        if (request.Length < Unsafe.SizeOf<RequestLease>())
        {
            return -(int)Errno.EINVAL;
        }

        RequestLease value = MemoryMarshal.Read<RequestLease>(request);
        ulong want = Math.Clamp(value.Want, 1, BlocksPerLease);
        Span<BlockRange> ranges = MemoryMarshal.Cast<byte, BlockRange>(payload);
        ranges = ranges[..Math.Min(ranges.Length, RangesPerReply)];
        int count = state.Space.Lease(want, value.Goal, ranges);
        return count == 0 ? -(int)Errno.ENOSPC : count * Unsafe.SizeOf<BlockRange>();
    }

    /// <summary>Free ranges for the device to forget; leased until they come back.</summary>
    public int LeaseForTrim(ReadOnlySpan<byte> request, Span<byte> payload)
    {
        if (request.Length < Unsafe.SizeOf<RequestTrim>())
        {
            return -(int)Errno.EINVAL;
        }

        RequestTrim value = MemoryMarshal.Read<RequestTrim>(request);
        Span<BlockRange> ranges = MemoryMarshal.Cast<byte, BlockRange>(payload);
        ranges = ranges[..Math.Min(ranges.Length, RangesPerReply)];
        ulong most = Math.Min(value.MaxBlocks, BlocksPerLease);
        int count = state.Space.LeaseFree(value.Start, value.End, Math.Max(value.MinBlocks, 1), most, ranges);
        return count * Unsafe.SizeOf<BlockRange>();
    }

    public int ReturnBlocks(ReadOnlySpan<byte> request)
    {
        int header = Unsafe.SizeOf<RequestReturn>();
        if (request.Length < header)
        {
            return -(int)Errno.EINVAL;
        }

        uint count = MemoryMarshal.Read<RequestReturn>(request).Count;
        ReadOnlySpan<BlockRange> ranges = MemoryMarshal.Cast<byte, BlockRange>(request[header..]);
        if (count > (uint)ranges.Length)
        {
            return -(int)Errno.EINVAL;
        }

        foreach (BlockRange range in ranges[..(int)count])
        {
            if (!state.Space.Contains(range.Start, range.Count) || state.Space.CountUsed(range.Start, range.Count) != 0)
            {
                return -(int)Errno.EINVAL;
            }
        }

        foreach (BlockRange range in Planted.Is(PlantedFault.ReturnedBlocksStayHeld) ? default : ranges[..(int)count])
        {
            state.Space.Unlease(range.Start, range.Count);
        }

        return 0;
    }
}
