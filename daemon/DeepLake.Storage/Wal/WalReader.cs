// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using System.Runtime.InteropServices;
using DeepLake.Platform;

namespace DeepLake.Storage;

/// <summary>
/// Finds and checks frames in a WAL region. Reads ahead in one window, so a replay is a few large reads.
/// </summary>
internal sealed class WalReader(IBlockDevice device, long regionStart, long regionBytes, ulong lakeTag) : IDisposable
{
    private const int WindowBytes = WalFormat.MaxFrameBytes;

    private readonly AlignedBuffer _window = new(WindowBytes);
    private readonly AlignedBuffer _payload = new(WalFormat.MaxFrameBytes);
    private long _windowStart = -1;
    private int _windowLength;

    /// <summary>Where the frames end that are asked for: what is behind it need not be read ahead.</summary>
    internal long EndOffset { get; set; } = long.MaxValue;

    /// <summary>
    /// Whether an intact frame of this lake begins at this offset of the region. The payload stays valid
    /// until the next call.
    /// </summary>
    internal bool TryReadFrame(long offset, out WalFrame header, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        header = default;
        if (offset < 0 || offset > regionBytes - WalFormat.AlignmentBytes)
        {
            return false;
        }
        header = HeaderOf(Window(offset, WalFormat.AlignmentBytes));
        if (!IsPlausible(header, offset))
        {
            return false;
        }
        Span<byte> content = _payload.Slice(0, (int)header.PayloadBytes);
        WalSector.Take(Window(offset, WalFormat.FrameBytes((int)header.PayloadBytes)), WalFormat.HeaderBytes, content);
        payload = content;
        return header.Crc32c == Checksum(header, payload) || Planted.Is(PlantedFault.FrameChecksumIgnored);
    }

    internal static uint Checksum(in WalFrame header, ReadOnlySpan<byte> payload) => ~Crc32C.Update(BeginChecksum(header), payload);

    /// <summary>The state of a frame's checksum after its header.</summary>
    internal static uint BeginChecksum(WalFrame header)
    {
        header.Crc32c = 0;
        return Crc32C.Update(uint.MaxValue, MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(ref header, 1)));
    }

    /// <summary>What the first sector of a frame begins with.</summary>
    internal static WalFrame HeaderOf(ReadOnlySpan<byte> frame) => MemoryMarshal.Read<WalFrame>(frame);

    /// <summary>The region as it is; valid until the next call.</summary>
    internal ReadOnlySpan<byte> Raw(long offset, int count) => Window(offset, count);

    /// <summary>Whether the device could not read a part of this when it was asked for it.</summary>
    internal bool IsUnreadable(long offset, int count) => device.IsUnreadable(regionStart + offset, count);

    /// <summary>Forgets what was read ahead; needed after the region was written.</summary>
    internal void Invalidate() => _windowStart = -1;

    public void Dispose()
    {
        _window.Dispose();
        _payload.Dispose();
    }

    /// <summary>Whether a header may be one of this lake, of a frame that begins here.</summary>
    internal bool IsPlausible(in WalFrame header, long offset) =>
        header.Magic == LakeFormat.WalMagic &&
        header.Version == WalFormat.Version &&
        header.Flags == 0 &&
        header.LakeTag == lakeTag &&
        header.Lsn != 0 &&
        header.FirstSeq <= header.LastSeq &&
        header.PayloadBytes <= WalFormat.MaxPayloadBytes &&
        WalFormat.FrameBytes((int)header.PayloadBytes) <= regionBytes - offset;

    private Span<byte> Window(long offset, int count)
    {
        if (_windowStart < 0 || offset < _windowStart || offset + count > _windowStart + _windowLength)
        {
            long ahead = EndOffset > offset ? Math.Max(EndOffset - offset, count) : regionBytes - offset;
            int length = (int)Math.Min(WindowBytes, Math.Min(ahead, regionBytes - offset));
            device.Read(_window.Slice(0, length), regionStart + offset);
            _windowStart = offset;
            _windowLength = length;
        }
        return _window.Slice((int)(offset - _windowStart), count);
    }
}
