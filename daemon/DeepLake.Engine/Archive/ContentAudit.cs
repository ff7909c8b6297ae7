// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.Ingest;
using DeepLake.Engine.State;
using DeepLake.Hash;
using DeepLake.Metadata.Tables;
using DeepLake.Metadata.Tree;
using DeepLake.Packs;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine.Archive;

/// <summary>
/// Proves the data of a rebuilt lake against what it recorded of it, so that nothing foreign is ever read:
/// a block may have been given to another file after the newest thing that the archive knows. What does
/// not match its checksum becomes checked against it, so reading it is an error; where the checksum table
/// itself is lost, the identity of the file decides.
/// </summary>
internal sealed class ContentAudit(LakeState state, IBlockDevice device, Superblock superblock) : IMarkedExtents, IDisposable
{
    private const int RunBlocks = 256;
    private const int UnprovenFilesMost = 1000;

    private readonly ContentHasher _hasher = new();
    private readonly PackReader _packs = new();
    private readonly List<(ulong Block, uint Sum, bool IsWhole)> _wrong = [];
    private readonly HashSet<ulong> _written = []; // entries, by this audit
    private readonly List<UnprovenFile> _unproven = [];
    private bool _hashes;
    private uint _packBlocks; // in the pack that was read last

    /// <summary>Of a lake that was not rebuilt: only what is checked is looked at, and only entries of the table are written.</summary>
    public bool MendsTableOnly { get; init; }

    public Action<string, ulong, ulong, string> Progress { get; init; } = (_, _, _, _) => { };

    public ulong BlocksRead { get; private set; }

    public ulong DamagedBlocks { get; private set; }

    public ulong MendedSums { get; private set; }

    public ulong UnprovenBlocks { get; private set; }

    /// <summary>The first thousand files that have such blocks.</summary>
    public IReadOnlyList<UnprovenFile> UnprovenFiles => _unproven;

    public void Run()
    {
        using var table = new ChecksumTable(device, superblock);
        using var buffer = new AlignedBuffer((RunBlocks + 1) * LakeFormat.BlockSize); // of skewed blocks one more
        ulong done = 0;
        for (ulong ino = 0; state.Inodes.TryNext(ino, out InodeRecord inode); ino = inode.Ino + 1)
        {
            Progress("comparing the data with its checksums", done++, state.Counters.InodeCount, "inodes");
            if (FileType.IsRegular(inode.Mode))
            {
                ulong before = UnprovenBlocks;
                Check(inode, table, buffer);
                NoteUnproven(inode.Ino, UnprovenBlocks - before);
            }
        }

        table.Store();
    }

    public void Dispose() => _packs.Dispose();

    /// <summary>What is damaged becomes sealed and checked.</summary>
    public uint FlagsOf(in Extent extent)
    {
        if (!extent.IsSealed)
        {
            state.Counters.SealedBlocks += extent.Blocks;
        }

        state.Counters.CheckedBlocks += extent.Blocks;
        return (extent.Flags | ExtentFlags.Sealed | ExtentFlags.Checked) & ~ExtentFlags.Crc;
    }

    private void NoteUnproven(ulong ino, ulong blocks)
    {
        if (blocks > 0 && _unproven.Count < UnprovenFilesMost)
        {
            _unproven.Add(new UnprovenFile(ino, blocks));
        }
    }

    private void Check(in InodeRecord inode, ChecksumTable table, AlignedBuffer buffer)
    {
        bool hasObject = state.Objects.TryGet(inode.Ino, out ObjectItem item) && ObjectTable.Holds(item, inode);
        _hashes = hasObject; // a file without may have holes without end
        _hasher.Begin(inode.Size);
        _wrong.Clear();
        ulong written = 0;
        for (ulong at = 0; state.Extents.TryGetAt(inode.Ino, at, out Extent extent); at = extent.FileEnd)
        {
            if (extent.IsUnwritten)
            {
                continue;
            }

            written += BlocksBelow(inode.Size, extent);
            if (extent.IsChecked)
            {
                Compare(extent, table, buffer);
            }
            else if (!MendsTableOnly && extent.HasCrc && extent.BirthSeq > state.Counters.UncleanSeq)
            {
                CompareMapped(inode.Ino, extent, table, buffer);
            }
            else if (hasObject)
            {
                Read(extent, buffer, (_, _) => { });
            }
            else if (!MendsTableOnly)
            {
                UnprovenBlocks += extent.Blocks;
            }
        }

        if (_wrong.Count > 0)
        {
            bool? isProven = hasObject && _hasher.TryFinish(written, out Blake3Hash id) ? Equals(item, id) : null;
            Settle(isProven, table);
        }
    }

    /// <summary>
    /// Checked extents: differences are kept until the file has been read. Its identity says nothing of what a
    /// skewed extent leaves out of its first and its last block, and of what others have in a pack.
    /// </summary>
    private void Compare(Extent extent, ChecksumTable table, AlignedBuffer buffer) => Read(extent, buffer, (block, sum) =>
    {
        if (table[block] != sum)
        {
            bool isAtAnEnd = block == extent.PhysBlock || block == extent.PhysBlock + extent.Blocks;
            _wrong.Add((block, sum, !(extent.IsSkewed && isAtAnEnd) && !(extent.IsPacked && extent.Blocks < _packBlocks)));
        }
    });

    private void CompareMapped(ulong ino, Extent extent, ChecksumTable table, AlignedBuffer buffer)
    {
        uint[] expected = state.Extents.CrcsOf(ino, extent).ToArray();
        uint[] entries = new uint[expected.Length];
        ulong damaged = 0;
        Read(extent, buffer, (block, sum) =>
        {
            int i = (int)(block - extent.PhysBlock);
            bool isKnown = expected[i] != LakeFormat.CrcUnknown;
            entries[i] = isKnown ? expected[i] : sum;
            UnprovenBlocks += isKnown ? 0ul : 1ul;
            damaged += isKnown && expected[i] != sum ? 1ul : 0ul;
        });
        if (damaged == 0)
        {
            return;
        }

        DamagedBlocks += damaged;
        for (uint i = 0; i < extent.Blocks; i++)
        {
            _written.Add(extent.PhysBlock + i);
        }

        table.Stage(extent.PhysBlock, entries);
        state.Extents.Mark(ino, extent.FileBlock, extent.Blocks, this);
    }

    /// <param name="isProven">What the file's identity says of its data; null: it has none, or not all could be read.</param>
    /// <param name="table">Is mended.</param>
    private void Settle(bool? isProven, ChecksumTable table)
    {
        foreach ((ulong block, uint sum, bool isWhole) in _wrong)
        {
            if (table[block] == sum)
            {
                continue; // the file has it twice, and the first one settled it
            }

            if (isProven == true && isWhole)
            {
                MendedSums++;
            }
            else if (isProven != false && table[block] == 0 && TableIsLost(block, table))
            {
                UnprovenBlocks++;
            }
            else
            {
                DamagedBlocks++;
                continue;
            }

            _written.Add(block);
            table.Stage(block, new ReadOnlySpan<uint>(in sum));
        }
    }

    // The entries around it are nothing either: that is no bit that has changed.
    private bool TableIsLost(ulong block, ChecksumTable table)
    {
        ulong first = superblock.Data.StartBlock + ((block - superblock.Data.StartBlock) / LakeFormat.SumsPerBlock * LakeFormat.SumsPerBlock);
        ulong end = Math.Min(first + LakeFormat.SumsPerBlock, superblock.Data.StartBlock + superblock.Data.Blocks);
        int entries = 0;
        for (ulong at = first; at < end; at++)
        {
            entries += table[at] != 0 && !_written.Contains(at) ? 1 : 0;
        }

        return entries == 0;
    }

    private static ulong BlocksBelow(ulong size, in Extent extent)
    {
        ulong end = (size + LakeFormat.BlockSize - 1) / LakeFormat.BlockSize;
        return extent.FileBlock >= end ? 0 : Math.Min(extent.FileEnd, end) - extent.FileBlock;
    }

    private static bool Equals(in ObjectItem item, Blake3Hash id)
    {
        Span<byte> bytes = stackalloc byte[Blake3Hash.SizeBytes];
        id.CopyTo(bytes);
        return bytes.SequenceEqual((ReadOnlySpan<byte>)item.Id);
    }

    /// <summary>Reads an extent; each of its device blocks is visited once, with its checksum.</summary>
    private void Read(Extent extent, AlignedBuffer buffer, Action<ulong, uint> visit)
    {
        for (ulong from = extent.FileBlock; from < extent.FileEnd; from += RunBlocks)
        {
            Extent part = extent.Slice(from, Math.Min(from + RunBlocks, extent.FileEnd));
            Span<byte> run = buffer.Slice(0, (int)part.DeviceBlocks * LakeFormat.BlockSize);
            device.Read(run, (long)part.DeviceBlock * LakeFormat.BlockSize);
            Take(part, run);

            // the next part begins with the last block of a skewed one
            uint count = part.FileEnd == extent.FileEnd ? part.DeviceBlocks : part.Blocks;
            BlocksRead += count;
            for (uint i = 0; i < count; i++)
            {
                visit(part.DeviceBlock + i, Crc32C.Compute(run.Slice((int)i * LakeFormat.BlockSize, LakeFormat.BlockSize)));
            }
        }
    }

    /// <summary>What cannot be unpacked proves nothing.</summary>
    private void Take(in Extent part, ReadOnlySpan<byte> run)
    {
        ReadOnlySpan<byte> held = part.IsPacked ? _packs.Read(run) : run;
        _packBlocks = part.IsPacked ? (uint)(held.Length / LakeFormat.BlockSize) : 0;
        if (_hashes && (!part.IsPacked || part.PackIndex + part.Blocks <= _packBlocks))
        {
            _hasher.Take(part.FileBlock, part.ContentOf(held));
        }
    }
}
