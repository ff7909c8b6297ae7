// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Sim;

/// <summary>
/// A device with a volatile write cache, seeded faults and a record of what was done to it. After a
/// power cut every 512-byte sector holds one of the versions written since the last flush (or the one
/// before them), and every call fails until <see cref="PowerOn"/>.
/// </summary>
internal sealed class FaultyBlockDevice : IBlockDevice
{
    private readonly IBlockDevice _inner;
    private readonly Random _random;
    private readonly List<Undo> _unflushed = [];
    private readonly List<DeviceOperation>? _record;
    private bool _isDead;

    public FaultyBlockDevice(IBlockDevice inner, int seed, FaultPlan? plan = null, bool record = false)
    {
        _inner = inner;
        _random = new Random(seed);
        Plan = plan ?? new FaultPlan();
        _record = record ? [] : null;
    }

    public FaultPlan Plan { get; set; }

    public long LengthBytes => _inner.LengthBytes;

    public long Operations { get; private set; }

    /// <summary>Writes and flushes.</summary>
    public long Changes { get; private set; }

    public long Writes { get; private set; }

    public long Reads { get; private set; }

    public long Flushes { get; private set; }

    public bool IsDead => _isDead;

    public bool IsKilled => Plan.KillAtOperation != 0 && Operations >= Plan.KillAtOperation;

    /// <summary>Something was written that a power cut may take back.</summary>
    public bool HasUnflushed => _unflushed.Count > 0;

    /// <summary>Faults of the plan that came true, power cuts apart.</summary>
    public long Faults { get; private set; }

    /// <summary>Of these, the ones that nobody was told about.</summary>
    public long SilentFaults { get; private set; }

    public IReadOnlyList<DeviceOperation> Record => _record ?? (IReadOnlyList<DeviceOperation>)[];

    public void Read(Span<byte> buffer, long offset)
    {
        Reads++;
        Step(DeviceOperationKind.Read, offset, buffer.Length);
        _inner.Read(buffer, offset);
        if (Plan.WrongBitAtOperation != 0 && Operations >= Plan.WrongBitAtOperation && IsInRange(offset))
        {
            Plan.WrongBitAtOperation = 0;
            SilentFaults++;
            Faults++;
            buffer[_random.Next(buffer.Length)] ^= (byte)(1 << _random.Next(8));
        }
    }

    public void Write(ReadOnlySpan<byte> buffer, long offset)
    {
        DeviceBounds.Check(LengthBytes, offset, buffer.Length);
        Writes++;
        bool isCut = Plan.PowerCutAtOperation == Operations + 1 || Plan.PowerCutAtChange == Changes + 1;
        if (isCut)
        {
            // The write is torn: only a run of its first sectors reaches the device's cache.
            int sectors = _random.Next(buffer.Length / DeviceBounds.SectorBytes + 1);
            Apply(buffer[..(sectors * DeviceBounds.SectorBytes)], offset);
        }
        Step(DeviceOperationKind.Write, offset, buffer.Length, buffer);
        if (Plan.StrayAtOperation != 0 && Operations >= Plan.StrayAtOperation && IsInRange(offset))
        {
            Plan.StrayAtOperation = 0;
            SilentFaults++;
            Faults++;
            if (Plan.StrayIsLost)
            {
                return;
            }
            long blocks = (Plan.StrayRange.End - buffer.Length - Plan.StrayRange.From) / DeviceBounds.BlockBytes;
            offset = Plan.StrayRange.From + (_random.NextInt64(blocks) * DeviceBounds.BlockBytes);
        }
        Apply(buffer, offset);
    }

    public void Flush()
    {
        Flushes++;
        Step(DeviceOperationKind.Flush, 0, 0);
        if (!Plan.IgnoreFlushes)
        {
            _inner.Flush();
            _unflushed.Clear();
        }
    }

    /// <summary>Loses power now: unflushed sectors are decided by the seed, and the device stops working.</summary>
    public void CutPower()
    {
        if (_isDead)
        {
            return;
        }
        _isDead = true;
        switch (Plan.Cut)
        {
            case CutKind.Sectors:
                LoseSectors(Plan.LossProbability, null);
                break;
            case CutKind.Writes:
                LoseSectors(0, [.. _unflushed.Select(_ => _random.NextDouble() < Plan.LossProbability)]);
                break;
            case CutKind.Prefix:
                LoseAllAfter(_random.Next(_unflushed.Count + 1));
                break;
            case CutKind.Nothing:
                LoseAllAfter(-1);
                break;
            default:
                break;
        }
        _unflushed.Clear();
    }

    /// <summary>Bits change where they lie.</summary>
    public void FlipBit(long offset, int bit)
    {
        SilentFaults++;
        Faults++;
        Span<byte> one = stackalloc byte[1];
        _inner.Read(one, offset);
        one[0] ^= (byte)(1 << bit);
        _inner.Write(one, offset);
    }

    /// <summary>A block of 4096 bytes is lost without a word.</summary>
    public void ZeroBlock(long offset)
    {
        SilentFaults++;
        Faults++;
        _inner.Write(new byte[DeviceBounds.BlockBytes], offset);
    }

    /// <summary>Reads what the device holds, which is no operation.</summary>
    public void Peek(Span<byte> buffer, long offset) => _inner.Read(buffer, offset);

    /// <summary>Power is back: the device works again, with what survived. Faults are switched off.</summary>
    public void PowerOn()
    {
        _isDead = false;
        _unflushed.Clear();
        Plan = new FaultPlan { LossProbability = Plan.LossProbability, IgnoreFlushes = Plan.IgnoreFlushes, Cut = Plan.Cut };
    }

    public void Dispose()
    {
    }

    private void Apply(ReadOnlySpan<byte> buffer, long offset)
    {
        if (buffer.IsEmpty)
        {
            return;
        }
        var old = new byte[buffer.Length];
        _inner.Read(old, offset);
        _unflushed.Add(new Undo(offset, old));
        _inner.Write(buffer, offset);
    }

    private bool IsInRange(long offset) => offset >= Plan.StrayRange.From && offset < Plan.StrayRange.End;

    // Newest first: a sector that keeps a version is settled, one that loses it falls back to the next older.
    private void LoseSectors(double probability, bool[]? isLost)
    {
        HashSet<long> settled = [];
        for (int i = _unflushed.Count - 1; i >= 0; i--)
        {
            Undo undo = _unflushed[i];
            for (int at = 0; at < undo.Old.Length; at += DeviceBounds.SectorBytes)
            {
                int count = Math.Min(DeviceBounds.SectorBytes, undo.Old.Length - at);
                long sector = (undo.Offset + at) / DeviceBounds.SectorBytes;
                if (settled.Contains(sector))
                {
                    continue;
                }
                if (isLost is null ? _random.NextDouble() < probability : isLost[i])
                {
                    _inner.Write(undo.Old.AsSpan(at, count), undo.Offset + at);
                }
                else
                {
                    settled.Add(sector);
                }
            }
        }
    }

    // The write at that index is torn: its first sectors stay.
    private void LoseAllAfter(int torn)
    {
        for (int i = _unflushed.Count - 1; i >= Math.Max(torn, 0); i--)
        {
            Undo undo = _unflushed[i];
            int sectors = undo.Old.Length / DeviceBounds.SectorBytes;
            int kept = i == torn ? _random.Next(sectors + 1) * DeviceBounds.SectorBytes : 0;
            _inner.Write(undo.Old.AsSpan(kept), undo.Offset + kept);
        }
    }

    private void Step(DeviceOperationKind kind, long offset, int count, ReadOnlySpan<byte> written = default)
    {
        if (_isDead)
        {
            throw new StorageException(Errno.ENODEV, "the power is off");
        }
        Operations++;
        _record?.Add(new DeviceOperation(kind, offset, count));
        Changes += kind == DeviceOperationKind.Read ? 0 : 1;
        if (Operations == Plan.PowerCutAtOperation || (kind != DeviceOperationKind.Read && Changes == Plan.PowerCutAtChange))
        {
            CutPower();
            throw new StorageException(Errno.ENODEV, "the power went off");
        }
        if (IsKilled)
        {
            throw new StorageException(Errno.EINTR, "the daemon is killed");
        }
        if (Plan.FailAtOperation != 0 && Operations >= Plan.FailAtOperation && Operations < Plan.FailAtOperation + Plan.FailCount)
        {
            Faults++;
            if (Plan.FailedWritesLeavePieces && !written.IsEmpty)
            {
                Apply(written[..(_random.Next((written.Length / DeviceBounds.SectorBytes) + 1) * DeviceBounds.SectorBytes)], offset);
            }
            throw StorageException.Io(Plan.FailWith, $"injected: {kind}", offset, count);
        }
    }

    private readonly record struct Undo(long Offset, byte[] Old);
}
