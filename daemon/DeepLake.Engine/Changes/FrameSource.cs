// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine.Archive;
using DeepLake.Engine.Format;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine.Changes;

/// <summary>
/// Frames of the log by their numbers, from its region or from the archive, read beside the engine. What either
/// gives up while it is read is known by its checksum, and then looked for once more.
/// </summary>
internal sealed class FrameSource : IDisposable
{
    private const int Attempts = 3;

    private readonly IChangeLog _log;
    private readonly IBlockDevice _device;
    private readonly Superblock _superblock;
    private readonly WalFollower _follower;
    private readonly AlignedBuffer _segment = ArchiveSegment.CreateBuffer();
    private ArchiveHeader _header; // of what is in _segment; NextLsn 0: nothing
    private int _at; // of frame _lsn in the segment's payload
    private ulong _lsn;
    private bool _isInSegment;
    private int _payloadAt;
    private byte[] _copy = []; // of a frame of the region: what the follower has is valid for a moment only
    private int _payloadBytes;

    public FrameSource(IChangeLog log, IBlockDevice device, in Superblock superblock)
    {
        _log = log;
        _device = device;
        _superblock = superblock;
        _follower = new WalFollower(
            device, LakeLayout.Bytes(superblock.Wal.StartBlock), LakeLayout.Bytes(superblock.Wal.Blocks), MemoryMarshal.Read<ulong>(superblock.Uuid));
        View = log.LookAtLog();
    }

    public LogView View { get; private set; }

    /// <summary>Of the frame read last.</summary>
    public ReadOnlySpan<byte> Payload => _isInSegment ? _segment.Slice(_payloadAt, _payloadBytes) : _copy.AsSpan(0, _payloadBytes);

    public void Refresh() => View = _log.LookAtLog();

    /// <summary>Reads a durable frame; false when it is not kept any more.</summary>
    public bool TryRead(ulong lsn, out WalFrame frame)
    {
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            if (TryReadRegion(lsn, out frame) || TryReadSegment(lsn, out frame))
            {
                return true;
            }

            Refresh(); // it has moved from one to the other meanwhile, perhaps
        }

        frame = default;
        return false;
    }

    /// <summary>The oldest place from which there is no gap up to the end.</summary>
    public LogPlace FindOldest()
    {
        ulong oldest = 0;
        ulong next = 0;
        ulong number = 0;
        while (TryFindSegment(ref number, out ArchiveHeader header))
        {
            if (header.NextLsn != 0)
            {
                oldest = next == 0 || header.FirstLsn > next ? header.FirstLsn : oldest;
                next = Math.Max(next, header.NextLsn);
            }

            number++;
        }

        Refresh();
        return new LogPlace(next == 0 || View.Tail.Lsn > next ? View.Tail.Lsn : oldest, 0, 0, 0, 0);
    }

    public void Dispose()
    {
        _follower.Dispose();
        _segment.Dispose();
    }

    private bool TryReadRegion(ulong lsn, out WalFrame frame)
    {
        if (!_follower.TryRead(lsn, View.Tail, View.Next, out frame, out ReadOnlySpan<byte> payload))
        {
            return false;
        }

        if (_copy.Length < payload.Length)
        {
            _copy = new byte[Math.Max(payload.Length, Math.Min(2 * _copy.Length, LakeFormat.WalFrameMax))];
        }

        payload.CopyTo(_copy);
        (_isInSegment, _payloadBytes) = (false, payload.Length);
        return true;
    }

    private bool TryReadSegment(ulong lsn, out WalFrame frame)
    {
        frame = default;
        if (lsn >= View.Next.Lsn || !TryLoad(lsn))
        {
            return false;
        }

        if (_lsn > lsn)
        {
            (_at, _lsn) = (0, _header.FirstLsn);
        }

        Span<byte> rest = _segment.Slice(ArchiveSegment.MetaBytes + _at, (int)_header.PayloadBytes - _at);
        while (ArchiveFrames.TryTake(ref rest, out frame, out ReadOnlySpan<byte> payload) && frame.Lsn == _lsn)
        {
            int begin = _at;
            _lsn++;
            _at = (int)_header.PayloadBytes - rest.Length;
            if (frame.Lsn == lsn)
            {
                (_isInSegment, _payloadAt, _payloadBytes) = (true, ArchiveSegment.MetaBytes + begin + WalFormat.HeaderBytes, payload.Length);
                return true;
            }
        }

        _header = default;
        return false;
    }

    private bool TryLoad(ulong lsn)
    {
        if (Has(_header, lsn))
        {
            return true;
        }

        bool isThere = TryFind(lsn, out ArchiveHeader header);
        _header = default;
        if (!isThere || !ArchiveSegment.TryRead(_device, header, _segment, out Superblock superblock)
            || !((ReadOnlySpan<byte>)superblock.ArchiveKey).SequenceEqual(_superblock.ArchiveKey))
        {
            return false;
        }

        (_header, _at, _lsn) = (header, 0, header.FirstLsn);
        return true;
    }

    /// <summary>Which segment has a frame: mostly the one behind the last, else it is looked for.</summary>
    private bool TryFind(ulong lsn, out ArchiveHeader found)
    {
        ulong number = _header.Number + 1;
        return (TryFindSegment(ref number, out found) && Has(found, lsn)) || TryBisect(lsn, out found) || TryScan(lsn, out found);
    }

    private static bool Has(in ArchiveHeader segment, ulong lsn) => segment.FirstLsn <= lsn && lsn < segment.NextLsn;

    /// <summary>The numbers of segments and those of their frames rise together, unless a rebuild had to take what it found.</summary>
    private bool TryBisect(ulong lsn, out ArchiveHeader found)
    {
        ulong low = 1;
        ulong high = ulong.MaxValue - 1;
        while (low <= high)
        {
            ulong middle = low + ((high - low) / 2);
            ulong number = middle;
            if (!TryFindSegment(ref number, out found) || number > high || found.FirstLsn > lsn)
            {
                high = middle - 1;
            }
            else if (Has(found, lsn))
            {
                return true;
            }
            else
            {
                low = number + 1;
            }
        }

        found = default;
        return false;
    }

    private bool TryScan(ulong lsn, out ArchiveHeader found)
    {
        for (ulong number = 0; TryFindSegment(ref number, out found); number++)
        {
            if (Has(found, lsn))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The first log segment from a number on; its header is empty when it cannot be read or is of another.</summary>
    private bool TryFindSegment(ref ulong number, out ArchiveHeader header)
    {
        header = default;
        ArchiveEntry segment;
        while (!_log.TryFindLogSegment(ref number, out segment))
        {
            if (number == ulong.MaxValue)
            {
                return false;
            }
        }

        number = segment.Number;
        using var block = new AlignedBuffer(LakeFormat.BlockSize);
        _device.Read(block.Span, LakeLayout.Bytes(segment.Item.Block));
        if (!ArchiveSegment.TryParse(block.Span, segment.Item.Block, out header) || header.Number != number
            || header.Kind != ArchiveKind.Log || !((ReadOnlySpan<byte>)header.Uuid).SequenceEqual(_superblock.Uuid))
        {
            header = default;
        }

        return true;
    }
}
