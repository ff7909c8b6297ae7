// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine;
using DeepLake.Platform;

namespace DeepLake.Client;

/// <summary>
/// Plays the kernel's part for a lake that is not mounted: asks the engine for leases, decides every
/// change, and tells it as an intent with the next seq. On the engine's thread. It trusts its caller as the
/// engine trusts the kernel: names are valid and free, inodes are what they are said to be.
/// </summary>
/// <param name="engine">Whose lake it is; the caller's.</param>
/// <param name="refuse">What to throw when the engine refuses a request.</param>
/// <param name="clock">Times of changes.</param>
/// <param name="generations">Generations of inodes.</param>
public sealed partial class LakeClient(LakeEngine engine, LakeRefusal refuse, TimeProvider clock, Random generations)
{
    private const int CommitBytes = LakeFormat.WalFrameMax / 2;
    private const int GroupRoomBytes = LakeFormat.WalFrameMax * 3 / 4;
    private const ulong InosPerLease = 4096;

    private readonly byte[] _intent = new byte[LakeRing.IntentMax];
    private readonly byte[] _reply = new byte[LakeRing.ReplyMax];
    private readonly TimeProvider _clock = clock;
    private readonly Random _generations = generations;
    private ulong _nextIno;
    private ulong _inosLeft;

    /// <summary>
    /// Commits and checkpoints come with <see cref="BeginGroup"/> only, between the caller's own operations;
    /// else, and where the log has no room, with any intent.
    /// </summary>
    public bool IsGrouping { get; init; }

    /// <summary>A change failed in the middle: the engine is to be given up, and what is durable to be recovered.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>A point in time as the lake has it; to 100 ns.</summary>
    public static LakeTime TimeOf(DateTimeOffset time)
    {
        long ticks = (time - DateTimeOffset.UnixEpoch).Ticks;
        long seconds = Math.DivRem(ticks, TimeSpan.TicksPerSecond, out long rest);
        (seconds, rest) = rest < 0 ? (seconds - 1, rest + TimeSpan.TicksPerSecond) : (seconds, rest);
        return new LakeTime { Sec = seconds, Nsec = (uint)(rest * TimeSpan.NanosecondsPerTick) };
    }

    /// <summary>The time that changes get now.</summary>
    public LakeTime Now() => TimeOf(_clock.GetUtcNow());

    /// <summary>Makes room for the records of one operation in the open frame, so that a crash keeps all of them or none.</summary>
    public void BeginGroup()
    {
        if (engine.UncommittedBytes >= LakeFormat.WalFrameMax - GroupRoomBytes)
        {
            engine.Commit();
        }

        if (engine.CheckpointDue)
        {
            engine.Checkpoint();
        }
    }

    /// <summary>Makes all that was told durable.</summary>
    public void Commit() => engine.Commit();

    /// <summary>
    /// Leases blocks near a goal (a block of the device; 0: anywhere); fewer than wanted when they lie
    /// scattered, none when the lake is full.
    /// </summary>
    public BlockRange[] LeaseBlocks(ulong want, ulong goal)
    {
        var request = new RequestLease { Header = NewHeader<RequestLease>(RequestOp.LeaseBlocks), Want = want, Goal = goal };
        int result = engine.HandleRequest(MemoryMarshal.AsBytes(new ReadOnlySpan<RequestLease>(in request)), _reply, out _);
        return result == -(int)Errno.ENOSPC ? [] : MemoryMarshal.Cast<byte, BlockRange>(Require(result, "lease blocks")).ToArray();
    }

    /// <summary>Gives leased blocks back that no map has.</summary>
    public void ReturnBlocks(ReadOnlySpan<BlockRange> ranges)
    {
        const int most = 128;
        Span<byte> request = stackalloc byte[Unsafe.SizeOf<RequestReturn>() + (most * Unsafe.SizeOf<BlockRange>())];
        while (!ranges.IsEmpty)
        {
            ReadOnlySpan<BlockRange> some = ranges[..Math.Min(most, ranges.Length)];
            var head = new RequestReturn
            {
                Header = new RequestHeader { Len = (uint)request.Length, Op = RequestOp.ReturnBlocks },
                Count = (uint)some.Length,
            };
            MemoryMarshal.Write(request, in head);
            MemoryMarshal.AsBytes(some).CopyTo(request[Unsafe.SizeOf<RequestReturn>()..]);
            Require(engine.HandleRequest(request, _reply, out _), "give blocks back");
            ranges = ranges[some.Length..];
        }
    }

    private static RequestHeader NewHeader<T>(RequestOp op)
        where T : unmanaged => new() { Len = (uint)Unsafe.SizeOf<T>(), Op = op };

    private IntentHeader NewHeader(IntentOp op, int length) => new() { Len = (uint)length, Op = op, Seq = engine.AppliedSeq + 1 };

    private void Append(ref int length, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_intent.AsSpan(length));
        length += bytes.Length;
        Pad(ref length);
    }

    private void Pad(ref int length)
    {
        while (length % LakeRing.EntryAlign != 0)
        {
            _intent[length++] = 0;
        }
    }

    private void Send<T>(in T fixedPart, int length)
        where T : unmanaged
    {
        MemoryMarshal.Write(_intent, in fixedPart);
        HasFailed = true; // unless the engine comes back
        engine.Apply(_intent.AsSpan(0, length));
        HasFailed = false;
        if (IsGrouping)
        {
            return;
        }

        if (engine.UncommittedBytes >= CommitBytes)
        {
            engine.Commit();
        }

        if (engine.CheckpointDue)
        {
            engine.Checkpoint();
        }
    }

    private ulong NextIno()
    {
        if (_inosLeft == 0)
        {
            var request = new RequestLease { Header = NewHeader<RequestLease>(RequestOp.LeaseInos), Want = InosPerLease };
            BlockRange range = MemoryMarshal.Read<BlockRange>(Ask(request, "lease inode numbers"));
            (_nextIno, _inosLeft) = (range.Start, range.Count);
        }

        _inosLeft--;
        return _nextIno++;
    }

    private ReadOnlySpan<byte> Ask<T>(scoped in T request, string what)
        where T : unmanaged =>
        Require(engine.HandleRequest(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in request)), _reply, out _), what);

    private ReadOnlySpan<byte> Require(int result, string what) =>
        result >= 0 ? _reply.AsSpan(0, result) : throw refuse((Errno)(-result), what);
}
