// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Storage;

/// <summary>
/// Reads frames of a log beside the one who writes it, on another descriptor. What is there is known from the
/// writer: the oldest frame that is kept and where the next one goes. A frame that is given up meanwhile may be
/// overwritten while it is read; its checksum tells.
/// </summary>
public sealed class WalFollower(IBlockDevice device, long regionStart, long regionBytes, ulong lakeTag) : IDisposable
{
    private readonly WalReader _reader = new(device, regionStart, regionBytes, lakeTag);
    private WalPosition _next;
    private WalPosition _end;

    /// <summary>
    /// Reads a frame by its number; one after the other each is where the last one ended, else they are looked for
    /// from the oldest on. False when it is not there, or not any more.
    /// </summary>
    /// <param name="lsn">Which one.</param>
    /// <param name="tail">The oldest frame that is kept.</param>
    /// <param name="end">Where the next frame goes: all before it are durable.</param>
    /// <param name="header">Its header.</param>
    /// <param name="payload">Its entries, valid until the next call.</param>
    public bool TryRead(ulong lsn, WalPosition tail, WalPosition end, out WalFrame header, out ReadOnlySpan<byte> payload)
    {
        header = default;
        payload = default;
        if (lsn < tail.Lsn || lsn >= end.Lsn)
        {
            return false;
        }

        if (end != _end)
        {
            _end = end;
            _reader.EndOffset = end.OffsetBytes;
            _reader.Invalidate(); // what was read ahead may have been written since
        }

        WalPosition at = _next.Lsn >= tail.Lsn && _next.Lsn <= lsn ? _next : tail;
        uint previousCrc = 0;
        while (Wal.TryReadSuccessor(_reader, at, previousCrc, 0, out header, out long offset, out payload))
        {
            at = new WalPosition(header.Lsn + 1, offset + WalFormat.FrameBytes((int)header.PayloadBytes));
            if (header.Lsn == lsn)
            {
                _next = at;
                return true;
            }

            previousCrc = header.Crc32c;
        }

        _next = default;
        return false;
    }

    public void Dispose() => _reader.Dispose();
}
