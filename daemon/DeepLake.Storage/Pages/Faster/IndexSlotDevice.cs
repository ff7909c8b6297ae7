// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;
using FASTER.core;

namespace DeepLake.Storage.Faster;

/// <summary>
/// One index slot as FASTER sees it for one checkpoint. Every piece written is remembered with its
/// checksum, and a read gives back exactly such a piece (FASTER reads whole overflow pages where it
/// wrote part of one) or latches corruption.
/// </summary>
internal sealed unsafe class IndexSlotDevice : StorageDeviceBase
{
    private readonly IBlockDevice _device;
    private readonly long _start;
    private readonly long _bytes;
    private readonly DeviceLatch _latch;
    private readonly List<IndexPiece> _pieces;
    private readonly Action _damaged;

    internal IndexSlotDevice(IBlockDevice device, (long Start, long Bytes) slot, DeviceLatch latch, List<IndexPiece> pieces, Action damaged)
        : base("page-index", LogRegionDevice.SectorBytes, Devices.CAPACITY_UNSPECIFIED)
    {
        _device = device;
        (_start, _bytes) = slot;
        _latch = latch;
        _pieces = pieces;
        _damaged = damaged;
    }

    public override void WriteAsync(IntPtr source, int segment, ulong offset, uint count, DeviceIOCompletionCallback callback, object context)
    {
        var bytes = new ReadOnlySpan<byte>((void*)source, (int)count);
        try
        {
            if ((long)offset + count > _bytes)
            {
                throw new StorageException(Errno.ENOSPC, $"the index needs more than its slot of {_bytes} bytes");
            }
            _latch.ThrowIfFailed();
            _device.Write(bytes, _start + (long)offset);
            _pieces.Add(new IndexPiece((long)offset, (int)count, Crc32C.Compute(bytes)));
        }
        catch (StorageException failure)
        {
            _latch.Set(failure);
        }
        callback(0, count, context);
    }

    public override void ReadAsync(int segment, ulong offset, IntPtr destination, uint count, DeviceIOCompletionCallback callback, object context)
    {
        var bytes = new Span<byte>((void*)destination, (int)count);
        try
        {
            ReadPiece((long)offset, bytes);
        }
        catch (StorageException failure)
        {
            _latch.Set(failure);
            bytes.Clear();
        }
        callback(0, count, context);
    }

    public override void RemoveSegmentAsync(int segment, AsyncCallback callback, IAsyncResult result) => callback(result);

    public override void Dispose()
    {
    }

    private void ReadPiece(long offset, Span<byte> destination)
    {
        _latch.ThrowIfFailed();
        foreach (IndexPiece piece in _pieces)
        {
            if (piece.Offset == offset && piece.Bytes <= destination.Length && piece.Offset + piece.Bytes <= _bytes)
            {
                Span<byte> part = destination[..piece.Bytes];
                _device.Read(part, _start + offset);
                // (zeros for what cannot be read may be right: it has to be written anew all the same)
                if (Crc32C.Compute(part) != piece.Crc32C || _device.IsUnreadable(_start + offset, piece.Bytes))
                {
                    _damaged();
                    throw StorageException.Corruption($"the page index at byte {_start + offset} of the device does not match its checksum");
                }
                destination[piece.Bytes..].Clear();
                return;
            }
        }
        throw StorageException.Corruption($"the page index at byte {_start} of the device has no piece at {offset}");
    }
}
