// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine.Scrub;

/// <summary>
/// Reads checked blocks and compares them with the checksum table. What it says is a suspicion: the blocks
/// may be other ones by the time they are read. One thread.
/// </summary>
public sealed class ScrubReader : IDisposable
{
    private const int ChunkBlocks = 256;
    private const int NoTable = -1;

    private readonly IBlockDevice _device;
    private readonly Region _table;
    private readonly Region _data;
    private readonly AlignedBuffer _blocks = new(ChunkBlocks * LakeFormat.BlockSize);
    private readonly AlignedBuffer _entries = new(LakeFormat.BlockSize);
    private long _entriesBlock = NoTable;

    public ScrubReader(IBlockDevice device, in Superblock superblock)
    {
        _device = device;
        _table = superblock.Sums;
        _data = superblock.Data;
    }

    /// <summary>Called with the bytes of each read of data before it, to wait until there is time for it.</summary>
    public Action<int>? Pace { get; init; }

    /// <summary>What was read of the table may be old from here on.</summary>
    public void Forget() => _entriesBlock = NoTable;

    /// <summary>Compares so many of the device's blocks of a run; what is wrong goes into a list, block by block.</summary>
    /// <exception cref="StorageException">The device is gone.</exception>
    public void Compare(in ScrubRun run, uint from, uint blocks, List<(ScrubRun Block, ScrubKind Kind)> suspects)
    {
        for (uint done = from; done < from + blocks; done += ChunkBlocks)
        {
            uint count = Math.Min(ChunkBlocks, from + blocks - done);
            Pace?.Invoke((int)count * LakeFormat.BlockSize);
            bool isRead = TryRead(run.PhysBlock + done, (int)count);
            for (uint i = 0; i < count; i++)
            {
                ScrubRun block = run.DeviceBlock(done + i);
                ScrubKind? kind = isRead ? Judge(block.PhysBlock, (int)i) : CompareAlone(block.PhysBlock);
                if (kind is { } wrong)
                {
                    suspects.Add((block, wrong));
                }
            }
        }
    }

    /// <summary>Reads a block alone, and its checksum anew; null when it is sound.</summary>
    public ScrubKind? CompareAgain(ulong physBlock)
    {
        Forget();
        return CompareAlone(physBlock);
    }

    public void Dispose()
    {
        _blocks.Dispose();
        _entries.Dispose();
    }

    private ScrubKind? CompareAlone(ulong physBlock) => TryRead(physBlock, 1) ? Judge(physBlock, 0) : ScrubKind.Unreadable;

    private ScrubKind? Judge(ulong physBlock, int at)
    {
        if (!TryGetEntry(physBlock, out uint entry))
        {
            return ScrubKind.Unreadable;
        }

        return Crc32C.Compute(_blocks.Slice(at * LakeFormat.BlockSize, LakeFormat.BlockSize)) == entry ? null : ScrubKind.Differs;
    }

    private bool TryGetEntry(ulong physBlock, out uint entry)
    {
        ulong index = physBlock - _data.StartBlock;
        var block = (long)(_table.StartBlock + (index / LakeFormat.SumsPerBlock));
        if (block != _entriesBlock)
        {
            _entriesBlock = NoTable;
            if (!TryRead(_entries.Span, block))
            {
                entry = 0;
                return false;
            }

            _entriesBlock = block;
        }

        entry = MemoryMarshal.Cast<byte, uint>(_entries.Span)[(int)(index % LakeFormat.SumsPerBlock)];
        return true;
    }

    private bool TryRead(ulong physBlock, int count) => TryRead(_blocks.Slice(0, count * LakeFormat.BlockSize), (long)physBlock);

    private bool TryRead(Span<byte> into, long block)
    {
        try
        {
            _device.Read(into, block * LakeFormat.BlockSize);
            return true;
        }
        catch (StorageException e) when (e.IsMediaError)
        {
            return false; // of these blocks: a sector that cannot be read any more
        }
    }
}
