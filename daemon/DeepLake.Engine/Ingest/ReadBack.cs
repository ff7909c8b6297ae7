// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Metadata.Tables;
using DeepLake.Packs;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine.Ingest;

/// <summary>
/// Reads what has become immutable, compares it with the checksums that came with it, and puts its
/// checksums into the table. What it cannot vouch for stays sealed and is not checked.
/// </summary>
public sealed class ReadBack(IBlockDevice device, ChecksumTable table) : IDisposable
{
    private const int ChunkBlocks = 256;

    // so many of a file are one more of the device when they are skewed
    private readonly AlignedBuffer _buffer = new((ChunkBlocks + 1) * LakeFormat.BlockSize);
    private readonly uint[] _sums = new uint[ChunkBlocks + 1];
    private readonly List<(ulong FileBlock, ulong Blocks)> _good = [];
    private readonly List<ulong> _damaged = [];
    private readonly PackReader _packs = new();

    /// <summary>Ranges of the file that may be checked, holes in them included.</summary>
    public IReadOnlyList<(ulong FileBlock, ulong Blocks)> Good => _good;

    /// <summary>File blocks whose data is not what was written.</summary>
    public IReadOnlyList<ulong> Damaged => _damaged;

    /// <summary>Blocks read by the last run.</summary>
    public ulong BlocksRead { get; private set; }

    /// <summary>Called with the bytes of each read before it, to wait until there is time for it.</summary>
    public Action<int>? Pace { get; init; }

    /// <summary>Gets what is read, for the file's identity; null: nobody wants it.</summary>
    public ContentHasher? Content { get; set; }

    /// <exception cref="StorageException">The device failed; nothing has been changed that matters.</exception>
    public void Run(SealView view)
    {
        _good.Clear();
        _damaged.Clear();
        table.Forget();
        BlocksRead = 0;
        ulong from = view.FileBlock;
        foreach (SealPiece piece in view.Pieces.Where(p => p.IsWritten && !p.IsChecked))
        {
            for (uint done = 0; done < piece.Blocks; done += ChunkBlocks)
            {
                int count = (int)Math.Min(ChunkBlocks, piece.Blocks - done);
                ReadOnlySpan<byte> bytes = Read(piece.PhysBlock + done, count);
                Content?.Take(piece.FileBlock + done, bytes);
                Judge(view, piece, (int)done, count, ref from);
            }
        }

        CloseRun(from, view.FileBlock + view.Blocks);
        if (!Planted.Is(PlantedFault.TableNotWritten))
        {
            table.Store();
        }
    }

    /// <summary>
    /// Reads what is checked once more, and compares it with the table as every read of it is; for the
    /// identity of a file that was not read at once.
    /// </summary>
    /// <exception cref="StorageException">The device failed.</exception>
    public void Reread(SealView view, ContentHasher content)
    {
        _good.Clear();
        _damaged.Clear();
        table.Forget(); // what a run that ended with an error had read of it may be of before
        BlocksRead = 0;
        foreach (SealPiece piece in view.Pieces.Where(p => p.IsWritten))
        {
            for (uint done = 0; done < piece.Blocks; done += ChunkBlocks)
            {
                uint count = Math.Min(ChunkBlocks, piece.Blocks - done);
                Extent part = piece.Extent.Slice(piece.FileBlock + done, piece.FileBlock + done + count);
                ReadOnlySpan<byte> bytes = Read(part.DeviceBlock, (int)part.DeviceBlocks);
                if (part.IsChecked)
                {
                    Compare(part);
                }

                Take(part, bytes, content);
            }
        }

        table.Forget();
    }

    private void Take(in Extent part, ReadOnlySpan<byte> bytes, ContentHasher content)
    {
        ReadOnlySpan<byte> held = part.IsPacked ? _packs.Read(bytes) : bytes;
        if (!part.IsPacked || held.Length >= (part.PackIndex + (int)part.Blocks) * LakeFormat.BlockSize)
        {
            content.Take(part.FileBlock, part.ContentOf(held));
        }
        else if (_damaged.Count == 0 || _damaged[^1] < part.FileBlock)
        {
            _damaged.Add(part.FileBlock); // its checksums match, but it is no pack
        }
    }

    private void Compare(in Extent read)
    {
        for (uint i = 0; i < read.DeviceBlocks; i++)
        {
            ulong phys = read.DeviceBlock + i;
            if (table[phys] == _sums[i])
            {
                continue;
            }

            (ulong first, ulong end) = read.FileBlocksOf(phys);
            for (ulong block = first; block < end; block++)
            {
                if (_damaged.Count == 0 || _damaged[^1] < block)
                {
                    _damaged.Add(block);
                }
            }
        }
    }

    /// <summary>What was found is of no account: the file does not lie there any more.</summary>
    public void Dismiss()
    {
        _good.Clear();
        _damaged.Clear();
    }

    public void Dispose()
    {
        _buffer.Dispose();
        _packs.Dispose();
    }

    private ReadOnlySpan<byte> Read(ulong physBlock, int count)
    {
        Span<byte> bytes = _buffer.Slice(0, count * LakeFormat.BlockSize);
        Pace?.Invoke(bytes.Length);
        device.Read(bytes, (long)physBlock * LakeFormat.BlockSize);
        for (int i = 0; i < count; i++)
        {
            _sums[i] = Crc32C.Compute(bytes.Slice(i * LakeFormat.BlockSize, LakeFormat.BlockSize));
        }

        BlocksRead += (ulong)count;
        return bytes;
    }

    private void Judge(SealView view, SealPiece piece, int done, int count, ref ulong from)
    {
        for (int i = 0; i < count; i++)
        {
            ulong fileBlock = piece.FileBlock + (ulong)(done + i);
            ulong phys = piece.PhysBlock + (ulong)(done + i);
            uint known = piece.Crcs.Length == 0 ? LakeFormat.CrcUnknown : piece.Crcs[done + i];
            if (known != LakeFormat.CrcUnknown && known != _sums[i] && piece.BirthSeq > view.UncleanSeq)
            {
                _damaged.Add(fileBlock);
                CloseRun(from, fileBlock);
                from = fileBlock + 1;
            }
            else if (piece.IsShared && known != _sums[i] && table[phys] != _sums[i])
            {
                // The entry may be the good one: of another file, which has this block checked.
                CloseRun(from, fileBlock);
                from = fileBlock + 1;
            }
            else
            {
                table.Stage(phys, _sums.AsSpan(i, 1));
            }
        }
    }

    private void CloseRun(ulong from, ulong end)
    {
        if (end > from)
        {
            _good.Add((from, end - from));
        }
    }
}
