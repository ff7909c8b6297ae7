// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;
using FASTER.core;

namespace DeepLake.Storage.Faster;

/// <summary>
/// FASTER's log on a circular region: log address A lies at region offset A mod region size, masked
/// (<see cref="LogMask"/>). Everything runs on the calling thread. Space before <see cref="ReuseLimit"/> may be
/// overwritten, nothing after.
/// </summary>
internal sealed unsafe class LogRegionDevice : StorageDeviceBase
{
    internal const int SectorBytes = 4096;

    private readonly IBlockDevice _device;
    private readonly long _start;
    private readonly long _bytes;
    private readonly LogLayout _layout;
    private readonly LogMask _mask;
    private readonly DeviceLatch _latch;
    private readonly List<Gathered> _gathered = [];
    private bool _isGathering;
    private byte* _window;
    private long _windowStart;
    private int _windowBytes;
    private long _chainAddress = long.MaxValue;

    internal LogRegionDevice(IBlockDevice device, long start, long bytes, LogLayout layout, LogMask mask, DeviceLatch latch)
        : base("page-log", SectorBytes, Devices.CAPACITY_UNSPECIFIED)
    {
        _layout = layout;
        _mask = mask;
        _device = device;
        _start = start;
        _bytes = bytes;
        _latch = latch;
    }

    /// <summary>Start of the oldest FASTER page that a kept checkpoint still needs.</summary>
    internal long ReuseLimit { get; set; }

    /// <summary>Where FASTER's log ends now: below it one record follows the other.</summary>
    internal Func<long> Tail { get; set; } = () => 0;

    /// <summary>Checks what recovery reads before FASTER parses it; null outside recovery.</summary>
    internal Action<long, nint, int>? RecoveryCheck { get; set; }

    internal long BytesWritten { get; private set; }

    /// <summary>Reads for these addresses come from memory: compaction has just read them.</summary>
    internal void SetWindow(byte* memory, long address, int count)
    {
        _window = memory;
        _windowStart = address;
        _windowBytes = count;
    }

    internal void ClearWindow() => _windowBytes = 0;

    /// <summary>
    /// FASTER is asked for a page: it reads one record, and then the older ones that this leads to, until it comes
    /// to the page's. Where a header is damaged they lead anywhere, for ever; so each has to lie before the last.
    /// </summary>
    internal void BeginChain() => _chainAddress = long.MaxValue;

    public override void WriteAsync(IntPtr source, int segment, ulong offset, uint count, DeviceIOCompletionCallback callback, object context)
    {
        long address = Address(segment, offset);
        try
        {
            if (!_latch.HasFailed)
            {
                MarkGivenUp((byte*)source, address, (int)count);
                Write((byte*)source, address, (int)count);
            }
        }
        catch (StorageException failure)
        {
            _latch.Set(failure);
        }
        callback(0, count, context);
    }

    public override void ReadAsync(int segment, ulong offset, IntPtr destination, uint count, DeviceIOCompletionCallback callback, object context)
    {
        long address = Address(segment, offset);
        if (_isGathering)
        {
            _gathered.Add(new Gathered(address, destination, (int)count, callback, context));
            return;
        }
        var span = new Span<byte>((void*)destination, (int)count);
        if (RecoveryCheck is { } check)
        {
            ReadOrGiveUp(address, span);
            check(address, destination, (int)count);
        }
        else if (address < _chainAddress && address < Tail())
        {
            _chainAddress = address;
            ReadOrGiveUp(address, span);
        }
        else
        {
            _latch.Set(StorageException.Corruption($"a record of the page log leads to address {address}, which is not before its own"));
            LogLayout.GiveUp(span);
        }
        callback(0, count, context);
    }

    /// <summary>Reads that FASTER asks for wait until <see cref="ReadGathered"/>.</summary>
    internal void Gather() => _isGathering = true;

    /// <summary>Does what has been gathered, all at once; from now on reads are done when asked for.</summary>
    internal void ReadGathered()
    {
        _isGathering = false;
        Span<DeviceRead> reads = new DeviceRead[_gathered.Count];
        int count = 0;
        foreach (Gathered wanted in _gathered)
        {
            if (IsOnePiece(wanted.Address, wanted.Count))
            {
                reads[count++] = new DeviceRead { Buffer = (byte*)wanted.Destination, Bytes = wanted.Count, Offset = _start + (wanted.Address % _bytes) };
            }
        }
        try
        {
            _device.ReadMany(reads[..count]);
        }
        catch (StorageException)
        {
            // A device that has failed before: FASTER still waits for each of these.
        }
        count = 0;
        foreach (Gathered wanted in _gathered)
        {
            if (!IsOnePiece(wanted.Address, wanted.Count) || !reads[count++].IsDone)
            {
                // Whoever needs the page reads it by itself, and hears why not.
                LogLayout.GiveUp(new Span<byte>((void*)wanted.Destination, wanted.Count));
            }
            else
            {
                _mask.Apply(wanted.Address, new Span<byte>((void*)wanted.Destination, wanted.Count));
            }
            _chainAddress = wanted.Address;
            wanted.Callback(0, (uint)wanted.Count, wanted.Context);
        }
        _gathered.Clear();
    }

    /// <summary>Reads log bytes; after a failure, which is latched, there are given up records only.</summary>
    internal void ReadOrGiveUp(long address, Span<byte> destination)
    {
        if (address >= _windowStart && address + destination.Length <= _windowStart + _windowBytes)
        {
            new Span<byte>(_window + (address - _windowStart), destination.Length).CopyTo(destination);
            return;
        }
        try
        {
            _latch.ThrowIfFailed();
            Read(address, destination);
        }
        catch (StorageException failure)
        {
            _latch.Set(failure);
            LogLayout.GiveUp(destination);
        }
    }

    // Space is reclaimed by ReuseLimit, after checkpoints; what FASTER would delete is not asked.
    public override void RemoveSegmentAsync(int segment, AsyncCallback callback, IAsyncResult result) => callback(result);

    public override void RemoveSegment(int segment)
    {
    }

    public override void TruncateUntilAddressAsync(long toAddress, AsyncCallback callback, IAsyncResult result) => callback(result);

    public override void TruncateUntilAddress(long toAddress)
    {
    }

    public override void Dispose()
    {
    }

    private bool IsOnePiece(long address, int count) => address >= 0 && count <= _bytes && (address % _bytes) + count <= _bytes;

    // In FASTER's own memory, where it takes the mark for a record that is invalid.
    private void MarkGivenUp(byte* source, long address, int count)
    {
        long end = Math.Min(address + count, Tail());
        for (long record = _layout.FirstRecordAtOrAfter(address); record + LogLayout.HeaderBytes <= end; record = _layout.FirstRecordAtOrAfter(record + LogLayout.RecordBytes))
        {
            ref ulong header = ref *(ulong*)(source + (record - address));
            header = header == 0 ? LogLayout.GivenUp : header;
        }
    }

    private void Write(byte* source, long address, int count)
    {
        if (!DeviceBounds.IsAligned(address) || !DeviceBounds.IsAligned(count))
        {
            throw new StorageException(Errno.EINVAL, $"unaligned page log write: {count} bytes at {address}");
        }
        if (address + count > ReuseLimit + _bytes)
        {
            throw new StorageException(Errno.ENOSPC, $"the page log would overwrite address {ReuseLimit}");
        }
        BytesWritten += count;
        while (count > 0)
        {
            long within = address % _bytes;
            int part = (int)Math.Min(count, _bytes - within);
            WriteMasked(new Span<byte>(source, part), address, _start + within);
            source += part;
            address += part;
            count -= part;
        }
    }

    // In FASTER's own memory: nobody reads it meanwhile, and a copy of each page would cost more.
    private void WriteMasked(Span<byte> sectors, long address, long offset)
    {
        _mask.Apply(address, sectors);
        try
        {
            _device.Write(sectors, offset);
        }
        finally
        {
            _mask.Apply(address, sectors);
        }
    }

    private void Read(long address, Span<byte> destination)
    {
        if (address < 0 || destination.Length > _bytes)
        {
            throw StorageException.Corruption($"there is no address {address} in the page log");
        }
        if (!DeviceBounds.IsAligned(address) || !DeviceBounds.IsAligned(destination.Length))
        {
            throw new StorageException(Errno.EINVAL, $"unaligned page log read: {destination.Length} bytes at {address}");
        }
        while (destination.Length > 0)
        {
            long within = address % _bytes;
            int part = (int)Math.Min(destination.Length, _bytes - within);
            _device.Read(destination[..part], _start + within);
            _mask.Apply(address, destination[..part]);
            destination = destination[part..];
            address += part;
        }
    }

    private long Address(int segment, ulong offset) => segmentSize > 0 ? segment * segmentSize + (long)offset : (long)offset;

    private readonly record struct Gathered(long Address, IntPtr Destination, int Count, DeviceIOCompletionCallback Callback, object Context);
}
