// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
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

    private readonly AlignedBuffer _buffer = new(ChunkBlocks * LakeFormat.BlockSize);
    private readonly uint[] _sums = new uint[ChunkBlocks];
    private readonly List<(ulong FileBlock, ulong Blocks)> _good = [];
    private readonly List<ulong> _damaged = [];

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
        BlocksRead = 0;
        foreach (SealPiece piece in view.Pieces.Where(p => p.IsWritten))
        {
            for (uint done = 0; done < piece.Blocks; done += ChunkBlocks)
            {
                int count = (int)Math.Min(ChunkBlocks, piece.Blocks - done);
                content.Take(piece.FileBlock + done, Read(piece.PhysBlock + done, count));
                for (int i = 0; i < count && piece.IsChecked; i++)
                {
                    if (table[piece.PhysBlock + done + (ulong)i] != _sums[i])
                    {
                        _damaged.Add(piece.FileBlock + done + (ulong)i);
                    }
                }
            }
        }

        table.Forget();
    }

    public void Dispose() => _buffer.Dispose();

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
