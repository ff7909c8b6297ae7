// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;

namespace DeepLake.Storage;

/// <summary>
/// A device with a volatile write cache, seeded faults and a record of what was done to it. After a
/// power cut every 512-byte sector independently holds one of the versions written since the last flush
/// (or the one before them), and every call fails until <see cref="PowerOn"/>.
/// </summary>
public sealed class FaultyBlockDevice : IBlockDevice
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

    public long Writes { get; private set; }

    public long Reads { get; private set; }

    public long Flushes { get; private set; }

    public bool IsDead => _isDead;

    public IReadOnlyList<DeviceOperation> Record => _record ?? (IReadOnlyList<DeviceOperation>)[];

    public void Read(Span<byte> buffer, long offset)
    {
        Reads++;
        Step(DeviceOperationKind.Read, offset, buffer.Length);
        _inner.Read(buffer, offset);
    }

    public void Write(ReadOnlySpan<byte> buffer, long offset)
    {
        DeviceBounds.Check(LengthBytes, offset, buffer.Length);
        Writes++;
        bool isCut = Plan.PowerCutAtOperation == Operations + 1;
        if (isCut)
        {
            // The write is torn: only a run of its first sectors reaches the device's cache.
            int sectors = _random.Next(buffer.Length / DeviceBounds.SectorBytes + 1);
            Apply(buffer[..(sectors * DeviceBounds.SectorBytes)], offset);
        }
        Step(DeviceOperationKind.Write, offset, buffer.Length);
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
        // Newest first: a sector that keeps a version is settled, one that loses it falls back to the next older.
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
                if (_random.NextDouble() < Plan.LossProbability)
                {
                    _inner.Write(undo.Old.AsSpan(at, count), undo.Offset + at);
                }
                else
                {
                    settled.Add(sector);
                }
            }
        }
        _unflushed.Clear();
    }

    /// <summary>Power is back: the device works again, with what survived. Faults are switched off.</summary>
    public void PowerOn()
    {
        _isDead = false;
        _unflushed.Clear();
        Plan = new FaultPlan { LossProbability = Plan.LossProbability, IgnoreFlushes = Plan.IgnoreFlushes };
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

    private void Step(DeviceOperationKind kind, long offset, int count)
    {
        if (_isDead)
        {
            throw new StorageException(Errno.ENODEV, "the power is off");
        }
        Operations++;
        _record?.Add(new DeviceOperation(kind, offset, count));
        if (Operations == Plan.PowerCutAtOperation)
        {
            CutPower();
            throw new StorageException(Errno.ENODEV, "the power went off");
        }
        if (Plan.FailAtOperation != 0 && Operations >= Plan.FailAtOperation && Operations < Plan.FailAtOperation + Plan.FailCount)
        {
            throw StorageException.Io(Plan.FailWith, $"injected: {kind}", offset, count);
        }
    }

    private readonly record struct Undo(long Offset, byte[] Old);
}
