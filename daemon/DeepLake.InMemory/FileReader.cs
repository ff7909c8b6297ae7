// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine;
using DeepLake.Engine.Ingest;
using DeepLake.Metadata.Tables;
using DeepLake.Packs;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.InMemory;

/// <summary>
/// Reads files. Each block is compared: with the checksum table when its reads are checked, else with the
/// checksum that came with it, which holds as this library never writes a block in place.
/// </summary>
internal sealed class FileReader(LakeEngine engine, IBlockDevice device) : IDisposable
{
    internal const int WindowBlocks = 256;
    private const int BlockBytes = LakeFormat.BlockSize;

    // A skewed extent has one block more.
    private readonly AlignedBuffer _buffer = new((WindowBlocks + 1) * BlockBytes);
    private readonly PackReader _packs = new();
    private readonly ChecksumTable _table = new(device, engine.Superblock);

    public void Dispose()
    {
        _table.Dispose();
        _buffer.Dispose();
        _packs.Dispose();
    }

    /// <summary>The first block from one on that is mapped; <see cref="ulong.MaxValue"/> when there is none.</summary>
    public ulong NextMapped(ulong ino, ulong fileBlock) => engine.LookForSeal(ino, fileBlock, 1)?.FileBlock ?? ulong.MaxValue;

    /// <summary>Reads bytes of a file; what is not written is zero, also behind its end.</summary>
    /// <exception cref="DamagedFileException">A block does not match its checksum.</exception>
    public void Read(ulong ino, string path, ulong offset, Span<byte> target)
    {
        _table.Forget(); // the ingest has one of its own
        while (!target.IsEmpty)
        {
            ulong first = offset / BlockBytes;
            int within = (int)(offset % BlockBytes);
            int count = Math.Min(target.Length, (WindowBlocks * BlockBytes) - within);
            ReadWindow(ino, path, first, within, target[..count]);
            offset += (ulong)count;
            target = target[count..];
        }
    }

    private void ReadWindow(ulong ino, string path, ulong first, int within, Span<byte> target)
    {
        target.Clear();
        uint blocks = (uint)((within + target.Length + BlockBytes - 1) / BlockBytes);
        SealView? view = engine.LookForSeal(ino, first, blocks);
        foreach (SealPiece piece in view?.Pieces ?? [])
        {
            if (piece.FileBlock >= first + blocks)
            {
                break;
            }

            if (piece.IsWritten)
            {
                int count = (int)Math.Min(piece.Blocks, first + blocks - piece.FileBlock);
                ReadOnlySpan<byte> bytes = ReadPiece(path, piece, count);
                Copy(bytes, ((long)(piece.FileBlock - first) * BlockBytes) - within, target);
            }
        }
    }

    /// <summary>The first blocks of a piece, compared.</summary>
    private ReadOnlySpan<byte> ReadPiece(string path, SealPiece piece, int count)
    {
        Extent extent = piece.Extent.Slice(piece.FileBlock, piece.FileBlock + (uint)count);
        int deviceBlocks = (int)extent.DeviceBlocks;
        Span<byte> bytes = _buffer.Slice(0, deviceBlocks * BlockBytes);
        device.Read(bytes, (long)extent.DeviceBlock * BlockBytes);
        for (int i = 0; i < deviceBlocks; i++)
        {
            uint known = piece.IsChecked ? _table[extent.DeviceBlock + (ulong)i]
                : i < piece.Crcs.Length ? piece.Crcs[i] : LakeFormat.CrcUnknown;
            bool mustMatch = piece.IsChecked || known != LakeFormat.CrcUnknown;
            if (mustMatch && Crc32C.Compute(bytes.Slice(i * BlockBytes, BlockBytes)) != known)
            {
                int damaged = extent.IsPacked ? 0 : Math.Min(i, count - 1); // the last one of a skewed piece is that of the block before it
                throw new DamagedFileException(path, (long)(piece.FileBlock + (ulong)damaged) * BlockBytes, BlockBytes);
            }
        }

        ReadOnlySpan<byte> held = extent.IsPacked ? _packs.Read(bytes) : bytes;
        if (extent.IsPacked && held.Length < (extent.PackIndex + count) * BlockBytes)
        {
            throw new DamagedFileException(path, (long)piece.FileBlock * BlockBytes, BlockBytes);
        }

        return extent.ContentOf(held);
    }

    // Where the bytes begin in the target; they may begin before it and end behind it.
    private static void Copy(ReadOnlySpan<byte> bytes, long at, Span<byte> target)
    {
        int skip = (int)Math.Max(0, -at);
        int start = (int)Math.Max(0, at);
        int count = Math.Min(bytes.Length - skip, target.Length - start);
        bytes.Slice(skip, count).CopyTo(target[start..]);
    }
}
