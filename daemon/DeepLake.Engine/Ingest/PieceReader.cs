// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Metadata.Tables;
using DeepLake.Packs;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine.Ingest;

/// <summary>Reads bytes of files that are checked, and compares each block of the device with the checksum table.</summary>
public sealed class PieceReader(IBlockDevice device, ChecksumTable table) : IDisposable
{
    /// <summary>The most that is read at once.</summary>
    public const int BytesMost = 256 << 10;

    // bytes that do not begin with a block reach into one block more
    private readonly AlignedBuffer _buffer = new(BytesMost + LakeFormat.BlockSize);
    private readonly List<(int From, int End)> _good = [];
    private readonly PackReader _packs = new();

    /// <summary>Called with the bytes of each read before it, to wait until there is time for it.</summary>
    public Action<int>? Pace { get; init; }

    /// <summary>Bytes read from the device.</summary>
    public long BytesRead { get; private set; }

    /// <summary>The longest beginning of a range that is checked and undamaged.</summary>
    /// <exception cref="StorageException">The device failed.</exception>
    public int ReadFirst(SealView? view, ulong pos, Span<byte> into)
    {
        Read(view, pos, into);
        return _good.Count > 0 && _good[0].From == 0 ? _good[0].End : 0;
    }

    /// <summary>The longest end of a range that is checked and undamaged.</summary>
    /// <exception cref="StorageException">The device failed.</exception>
    public int ReadLast(SealView? view, ulong pos, Span<byte> into)
    {
        Read(view, pos, into);
        return _good.Count > 0 && _good[^1].End == into.Length ? into.Length - _good[^1].From : 0;
    }

    /// <summary>Some blocks of a checked extent, packed or not; false when any of them is damaged.</summary>
    /// <param name="part">So many as <paramref name="into"/> has room for.</param>
    /// <param name="into">Whole blocks.</param>
    /// <exception cref="StorageException">The device failed.</exception>
    public bool TryRead(in Extent part, Span<byte> into)
    {
        int count = (int)part.DeviceBlocks;
        Span<byte> bytes = _buffer.Slice(0, count * LakeFormat.BlockSize);
        Pace?.Invoke(bytes.Length);
        device.Read(bytes, (long)part.DeviceBlock * LakeFormat.BlockSize);
        BytesRead += bytes.Length;
        bool isGood = true;
        for (int i = 0; i < count && isGood; i++)
        {
            isGood = Crc32C.Compute(bytes.Slice(i * LakeFormat.BlockSize, LakeFormat.BlockSize)) == table[part.DeviceBlock + (ulong)i];
        }

        table.Forget();
        ReadOnlySpan<byte> held = part.IsPacked && isGood ? _packs.Read(bytes) : bytes;
        if (!isGood || (part.IsPacked && held.Length < (part.PackIndex + (int)part.Blocks) * LakeFormat.BlockSize))
        {
            return false;
        }

        part.ContentOf(held).CopyTo(into);
        return true;
    }

    public void Dispose()
    {
        _buffer.Dispose();
        _packs.Dispose();
    }

    private void Read(SealView? view, ulong pos, Span<byte> into)
    {
        _good.Clear();
        foreach (DeviceRun run in DeviceRun.Pieces(view, pos, pos + (ulong)into.Length))
        {
            ReadRun(run, (int)(run.FilePos - pos), into);
        }

        table.Forget();
    }

    private void ReadRun(in DeviceRun run, int at, Span<byte> into)
    {
        ulong block = run.DevicePos / LakeFormat.BlockSize;
        int within = (int)(run.DevicePos % LakeFormat.BlockSize);
        int blocks = (within + (int)run.Bytes + LakeFormat.BlockSize - 1) / LakeFormat.BlockSize;
        Span<byte> bytes = _buffer.Slice(0, blocks * LakeFormat.BlockSize);
        Pace?.Invoke(bytes.Length);
        device.Read(bytes, (long)block * LakeFormat.BlockSize);
        BytesRead += bytes.Length;
        bytes.Slice(within, (int)run.Bytes).CopyTo(into[at..]);
        for (int i = 0; i < blocks; i++)
        {
            if (Crc32C.Compute(bytes.Slice(i * LakeFormat.BlockSize, LakeFormat.BlockSize)) == table[block + (ulong)i])
            {
                int from = Math.Max((i * LakeFormat.BlockSize) - within, 0);
                int end = Math.Min(((i + 1) * LakeFormat.BlockSize) - within, (int)run.Bytes);
                AddGood(at + from, at + end);
            }
        }
    }

    private void AddGood(int from, int end)
    {
        if (_good.Count > 0 && _good[^1].End == from)
        {
            _good[^1] = (_good[^1].From, end);
        }
        else
        {
            _good.Add((from, end));
        }
    }
}
