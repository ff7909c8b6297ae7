// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;

namespace DeepLake.Platform;

/// <summary>
/// Several reads at once, so that a device with a queue works on all of them: the kernel's native
/// asynchronous I/O (io_setup(2)), which needs no thread and is asynchronous where O_DIRECT is.
/// One thread at a time.
/// </summary>
public sealed unsafe class AsyncReads : IDisposable
{
    /// <summary>Reads in flight.</summary>
    public const int Depth = 64;

    private readonly ControlBlock[] _blocks = GC.AllocateArray<ControlBlock>(Depth, pinned: true);
    private readonly nint[] _pointers = GC.AllocateArray<nint>(Depth, pinned: true);
    private readonly Event[] _events = GC.AllocateArray<Event>(Depth, pinned: true);
    private nuint _context;

    private AsyncReads(nuint context) => _context = context;

    /// <summary>Null where the kernel has none, or no more: reads are done one by one then.</summary>
    public static AsyncReads? TryCreate()
    {
        nuint context = 0;
        return LibC.IoSetup(Depth, &context) == 0 ? new AsyncReads(context) : null;
    }

    /// <summary>
    /// Reads the first so many; returns when all are done. What could not be read whole is told as failed, without
    /// a reason: who needs it reads it again by itself.
    /// </summary>
    /// <param name="fd">File or device.</param>
    /// <param name="reads">At most <see cref="Depth"/>.</param>
    public void Run(int fd, Span<DeviceRead> reads)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(reads.Length, Depth);
        for (int i = 0; i < reads.Length; i++)
        {
            reads[i].IsDone = false;
            _blocks[i] = new ControlBlock
            {
                Data = (ulong)i,
                Opcode = ControlBlock.PRead,
                Descriptor = (uint)fd,
                Buffer = (ulong)reads[i].Buffer,
                Bytes = (ulong)reads[i].Bytes,
                Offset = reads[i].Offset,
            };
            _pointers[i] = (nint)Unsafe.AsPointer(ref _blocks[i]);
        }

        fixed (nint* pointers = _pointers)
        {
            // What is not taken is not read: a full queue, memory.
            long taken = Math.Max(0, LibC.IoSubmit(_context, reads.Length, pointers));
            Collect(reads, taken);
        }
    }

    public void Dispose()
    {
        if (_context != 0)
        {
            _ = LibC.IoDestroy(_context);
            _context = 0;
        }
    }

    // Nothing may be left in flight: the buffers are the caller's again.
    private void Collect(Span<DeviceRead> reads, long left)
    {
        fixed (Event* events = _events)
        {
            while (left > 0)
            {
                long got = LibC.IoGetEvents(_context, 1, (nint)left, events, null);
                if (got < 0 && Linux.LastWasInterrupted)
                {
                    continue;
                }
                if (got < 0)
                {
                    Environment.FailFast("reads in flight cannot be waited for");
                }
                for (int i = 0; i < got; i++)
                {
                    ref DeviceRead read = ref reads[(int)events[i].Data];
                    read.IsDone = events[i].Result == read.Bytes;
                }
                left -= got;
            }
        }
    }

    /// <summary>struct iocb of linux/aio_abi.h, on a little-endian machine.</summary>
    internal struct ControlBlock
    {
        public const ushort PRead = 0;

        public ulong Data;
        public uint Key;
        public uint Flags;
        public ushort Opcode;
        public short Priority;
        public uint Descriptor;
        public ulong Buffer;
        public ulong Bytes;
        public long Offset;
        public ulong Reserved;
        public uint ResultFlags;
        public uint EventDescriptor;
    }

    /// <summary>struct io_event.</summary>
    internal struct Event
    {
        public ulong Data;
        public ulong Block;
        public long Result;
        public long Result2;
    }
}
