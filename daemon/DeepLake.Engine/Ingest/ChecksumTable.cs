// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine.Ingest;

/// <summary>
/// The checksum table of a lake (docs/on-disk-format.md). Entries are changed in memory, in whole blocks of
/// the table, and go to the device with <see cref="Store"/>, which does not flush. One writer at a time.
/// </summary>
public sealed class ChecksumTable : IDisposable
{
    private const int StagedMost = 64;

    private readonly IBlockDevice _device;
    private readonly Region _table;
    private readonly Region _data;
    private readonly SortedDictionary<ulong, AlignedBuffer> _staged = [];
    private readonly HashSet<ulong> _changed = [];

    public ChecksumTable(IBlockDevice device, in Superblock superblock)
    {
        _device = device;
        _table = superblock.Sums;
        _data = superblock.Data;
    }

    /// <summary>The entry of a block, staged or on the device.</summary>
    public uint this[ulong physBlock] => Entries(physBlock, out int at)[at];

    /// <summary>Changes the entries of consecutive blocks.</summary>
    public void Stage(ulong physBlock, ReadOnlySpan<uint> sums)
    {
        while (!sums.IsEmpty)
        {
            Span<uint> entries = Entries(physBlock, out int at);
            _changed.Add((physBlock - _data.StartBlock) / LakeFormat.SumsPerBlock);
            int count = Math.Min(sums.Length, entries.Length - at);
            sums[..count].CopyTo(entries[at..]);
            physBlock += (ulong)count;
            sums = sums[count..];
        }
    }

    /// <summary>Writes what was staged, and forgets it.</summary>
    public void Store()
    {
        foreach ((ulong block, AlignedBuffer buffer) in _staged)
        {
            if (_changed.Contains(block))
            {
                _device.Write(buffer.Span, Offset(block));
            }
        }

        Forget();
    }

    /// <summary>What was staged is not written.</summary>
    public void Forget()
    {
        foreach (AlignedBuffer buffer in _staged.Values)
        {
            buffer.Dispose();
        }

        _staged.Clear();
        _changed.Clear();
    }

    public void Dispose() => Forget();

    private Span<uint> Entries(ulong physBlock, out int at)
    {
        ulong index = physBlock - _data.StartBlock;
        if (index >= _data.Blocks)
        {
            throw new ArgumentOutOfRangeException(nameof(physBlock), physBlock, "no data block");
        }

        ulong block = index / LakeFormat.SumsPerBlock;
        at = (int)(index % LakeFormat.SumsPerBlock);
        if (!_staged.TryGetValue(block, out AlignedBuffer? buffer))
        {
            if (_staged.Count == StagedMost)
            {
                Store();
            }

            buffer = Read(block);
            _staged.Add(block, buffer);
        }

        return MemoryMarshal.Cast<byte, uint>(buffer.Span);
    }

    // A block that could not be read is not there at all: as zeroes it would be believed, and written back.
    private AlignedBuffer Read(ulong block)
    {
        var buffer = new AlignedBuffer(LakeFormat.BlockSize, zeroed: true);
        try
        {
            if (!Planted.Is(PlantedFault.TableEntriesOfNeighboursLost))
            {
                _device.Read(buffer.Span, Offset(block));
            }

            return buffer;
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    private long Offset(ulong block) => (long)(_table.StartBlock + block) * LakeFormat.BlockSize;
}
