// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Client;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.InMemory;

/// <summary>
/// Data that is on the device and in no file yet: written to leased blocks, never in place. The blocks go
/// back when it ends without <see cref="MapTo"/>.
/// </summary>
internal sealed class StagedBlocks(LakeClient client, IBlockDevice device, string path) : IDisposable
{
    private const int BlockBytes = LakeFormat.BlockSize;

    private readonly List<BlockRange> _leased = [];
    private readonly List<Piece> _pieces = [];
    private int _at;
    private ulong _used;
    private bool _isMapped;

    /// <summary>Holds blocks back, so that the next writes have them.</summary>
    /// <exception cref="LakeException">ENOSPC.</exception>
    public void Reserve(ulong blocks)
    {
        ulong goal = _leased.Count > 0 ? _leased[^1].Start + _leased[^1].Count : 0;
        while (blocks > 0)
        {
            BlockRange[] ranges = client.LeaseBlocks(blocks, goal);
            if (ranges.Length == 0)
            {
                throw new LakeException(Errno.ENOSPC, path, "the lake is full; nothing was changed");
            }

            foreach (BlockRange range in ranges)
            {
                _leased.Add(range);
                blocks -= Math.Min(blocks, range.Count);
            }
        }
    }

    /// <summary>Writes whole blocks of a file to blocks that are reserved.</summary>
    public void Write(ulong fileBlock, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            BlockRange range = _leased[_at];
            int count = (int)Math.Min(Math.Min(range.Count - _used, LakeRing.MapBlocksMax), (ulong)(bytes.Length / BlockBytes));
            if (count == 0)
            {
                (_at, _used) = (_at + 1, 0);
                continue;
            }

            ulong phys = range.Start + _used;
            uint[] sums = new uint[count];
            for (int i = 0; i < count; i++)
            {
                sums[i] = Crc32C.Compute(bytes.Slice(i * BlockBytes, BlockBytes));
            }

            device.Write(bytes[..(count * BlockBytes)], (long)phys * BlockBytes);
            _pieces.Add(new Piece(fileBlock, phys, sums));
            _used += (ulong)count;
            fileBlock += (ulong)count;
            bytes = bytes[(count * BlockBytes)..];
        }
    }

    /// <summary>The file has the data from now on, and is so long at least.</summary>
    public void MapTo(ulong ino, ulong sizeBytes)
    {
        foreach (Piece piece in _pieces)
        {
            ulong end = (piece.FileBlock + (ulong)piece.Sums.Length) * BlockBytes;
            client.Map(ino, piece.FileBlock, piece.PhysBlock, piece.Sums, Math.Min(end, sizeBytes));
        }

        _isMapped = true;
    }

    public void Dispose()
    {
        if (client.HasFailed)
        {
            return; // the engine is given up, and its leases with it
        }

        int from = _isMapped ? _at : 0;
        List<BlockRange> rest = _leased[Math.Min(from, _leased.Count)..];
        if (_isMapped && rest.Count > 0)
        {
            rest[0] = new BlockRange { Start = rest[0].Start + _used, Count = rest[0].Count - _used };
        }

        client.ReturnBlocks([.. rest.Where(r => r.Count > 0)]);
    }

    private sealed record Piece(ulong FileBlock, ulong PhysBlock, uint[] Sums);
}
