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
/// itself is lost, the identities of the files decide, together: a block may have parts of several.
/// </summary>
internal sealed class ContentAudit(LakeState state, IBlockDevice device, Superblock superblock) : IMarkedExtents, IDisposable
{
    private const int RunBlocks = 256;
    private const int UnprovenFilesMost = 1000;

    private readonly ContentHasher _hasher = new();
    private readonly PackReader _packs = new();
    private readonly List<(ulong Block, uint Sum, bool IsWhole, bool IsGone)> _wrong = []; // of one file
    private readonly DisputedBlocks _disputed = new();
    private readonly BlockSet _written = new(); // entries, by this audit, before the disputed ones
    private readonly BlockSet _mended = new(); // entries that are to be written
    private readonly BlockSet _taken = new(); // the same, as the blocks are: nothing tells of them
    private readonly Dictionary<ulong, ulong> _unknownOf = []; // blocks without a checksum, of the first files that have any
    private readonly List<UnprovenFile> _unproven = [];
    private bool _hashes;
    private bool _isNoPack; // what was read last, and should be
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
        foreach (InodeRecord inode in Files("comparing the data with its checksums"))
        {
            Check(inode, table, buffer);
        }

        Settle(table);
        if (UnprovenBlocks > 0)
        {
            foreach (InodeRecord inode in Files("looking for the files of which nothing tells"))
            {
                NoteUnproven(inode.Ino);
            }
        }

        // From here on nothing is interrupted: with its entry a block is no longer known to be unproven.
        Progress("writing the checksums", 0, 0, "");
        Write(table, buffer);
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

    private IEnumerable<InodeRecord> Files(string what)
    {
        ulong done = 0;
        for (ulong ino = 0; state.Inodes.TryNext(ino, out InodeRecord inode); ino = inode.Ino + 1)
        {
            Progress(what, done++, state.Counters.InodeCount, "inodes");
            if (FileType.IsRegular(inode.Mode))
            {
                yield return inode;
            }
        }
    }

    // Of what was rebuilt, also what has no checksum at all; and what is mapped with unknown ones.
    private void NoteUnproven(ulong ino)
    {
        ulong blocks = _unknownOf.GetValueOrDefault(ino);
        for (ulong at = 0; state.Extents.TryGetAt(ino, at, out Extent extent); at = extent.FileEnd)
        {
            for (uint i = 0; extent.IsChecked && _taken.Count > 0 && i < extent.DeviceBlocks; i++)
            {
                blocks += _taken.Contains(extent.DeviceBlock + i) ? 1ul : 0ul;
            }
        }

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
        ulong unknown = 0;
        for (ulong at = 0; state.Extents.TryGetAt(inode.Ino, at, out Extent extent); at = extent.FileEnd)
        {
            if (extent.IsUnwritten)
            {
                continue;
            }

            written += BlocksBelow(inode.Size, extent);
            if (extent.IsChecked)
            {
                Compare(inode.Size, extent, table, buffer);
            }
            else if (!MendsTableOnly && extent.HasCrc && extent.BirthSeq > state.Counters.UncleanSeq)
            {
                unknown += CompareMapped(inode.Ino, extent, table, buffer);
            }
            else if (hasObject)
            {
                Read(extent, buffer, (_, _, _) => { });
            }
            else if (!MendsTableOnly)
            {
                unknown += extent.Blocks;
            }
        }

        UnprovenBlocks += unknown;
        if (unknown > 0 && _unknownOf.Count < UnprovenFilesMost)
        {
            _unknownOf.Add(inode.Ino, unknown);
        }

        if (_wrong.Count > 0)
        {
            Dispute(hasObject && _hasher.TryFinish(written, out Blake3Hash id) ? Equals(item, id) : null);
        }
    }

    /// <summary>
    /// Checked extents: differences are kept until the file has been read. Its identity says nothing of what is behind its
    /// end, of what a skewed extent leaves out of its first and its last block, and of what others have in a pack.
    /// </summary>
    private void Compare(ulong size, Extent extent, ChecksumTable table, AlignedBuffer buffer) => Read(extent, buffer, (block, sum, isUnread) =>
    {
        if (table[block] != sum)
        {
            _wrong.Add((block, sum, HasAllOf(block, extent, size), isUnread || _isNoPack));
        }
    });

    private bool HasAllOf(ulong block, in Extent extent, ulong size)
    {
        if (extent.IsPacked)
        {
            return extent.Blocks == _packBlocks && extent.FileEnd <= size / LakeFormat.BlockSize;
        }

        ulong index = block - extent.PhysBlock;
        bool isAtAnEnd = extent.IsSkewed && (index == 0 || index == extent.Blocks);
        return !isAtAnEnd && extent.FileBlock + index < size / LakeFormat.BlockSize;
    }

    /// <summary>How many blocks there are of which nothing tells.</summary>
    private ulong CompareMapped(ulong ino, Extent extent, ChecksumTable table, AlignedBuffer buffer)
    {
        uint[] expected = state.Extents.CrcsOf(ino, extent).ToArray();
        uint[] entries = new uint[expected.Length];
        ulong unknown = 0;
        ulong damaged = 0;
        Read(extent, buffer, (block, sum, isUnread) =>
        {
            int i = (int)(block - extent.PhysBlock);
            bool isKnown = expected[i] != LakeFormat.CrcUnknown;
            entries[i] = isKnown ? expected[i] : isUnread ? ~sum : sum; // zeros that were not read are not the data
            unknown += isKnown || isUnread ? 0ul : 1ul;
            damaged += entries[i] != sum ? 1ul : 0ul;
        });
        if (damaged > 0)
        {
            DamagedBlocks += damaged;
            for (uint i = 0; i < extent.Blocks; i++)
            {
                _written.Add(extent.PhysBlock + i);
            }

            table.Stage(extent.PhysBlock, entries);
            state.Extents.Mark(ino, extent.FileBlock, extent.Blocks, this);
        }

        return unknown;
    }

    /// <param name="isProven">What the file's identity says of its data; null: it has none, or not all could be read.</param>
    private void Dispute(bool? isProven)
    {
        foreach ((ulong block, uint sum, bool isWhole, bool isGone) in _wrong)
        {
            _disputed.Add(
                block,
                isGone || isProven == false ? BlockEvidence.Disproves
                : isProven is null ? BlockEvidence.Nothing
                : isWhole ? BlockEvidence.ProvesAll
                : BlockEvidence.ProvesItsPart,
                sum);
        }
    }

    /// <summary>
    /// All files have been read. A block that is disproven, or of which a part is, gets no entry that would let it pass:
    /// it stays unreadable. Of those that this audit has written entries of, the maps have told already.
    /// </summary>
    private void Settle(ChecksumTable table)
    {
        ulong group = ulong.MaxValue;
        bool isLost = false;
        foreach (ulong block in _disputed)
        {
            if (_written.Contains(block))
            {
                continue;
            }

            ulong its = (block - superblock.Data.StartBlock) / LakeFormat.SumsPerBlock;
            isLost = its == group ? isLost : TableIsLost(block, table);
            group = its;
            BlockEvidence evidence = _disputed[block];
            if (evidence is BlockEvidence.ProvesAll or BlockEvidence.ProvesItsPart)
            {
                MendedSums++;
                _mended.Add(block);
            }
            else if (evidence == BlockEvidence.Nothing && isLost && table[block] == 0)
            {
                UnprovenBlocks++;
                _taken.Add(block);
            }
            else
            {
                DamagedBlocks++;
            }
        }
    }

    /// <summary>What is not read now as it was read for the proofs stays unreadable.</summary>
    private void Write(ChecksumTable table, AlignedBuffer buffer)
    {
        ulong end = 0; // of what is in the buffer
        ulong start = 0;
        foreach (ulong block in _disputed)
        {
            bool isTaken = _taken.Contains(block);
            if (!isTaken && !_mended.Contains(block))
            {
                continue;
            }

            if (block >= end)
            {
                start = block;
                end = Math.Min(block + RunBlocks, superblock.Data.StartBlock + superblock.Data.Blocks);
                device.Read(buffer.Slice(0, (int)(end - start) * LakeFormat.BlockSize), (long)start * LakeFormat.BlockSize);
            }

            uint sum = Crc32C.Compute(buffer.Slice((int)(block - start) * LakeFormat.BlockSize, LakeFormat.BlockSize));
            if (_disputed.IsAsRead(block, sum) && !device.IsUnreadable((long)block * LakeFormat.BlockSize, LakeFormat.BlockSize))
            {
                table.Stage(block, new ReadOnlySpan<uint>(in sum));
                continue;
            }

            DamagedBlocks++;
            UnprovenBlocks -= isTaken ? 1ul : 0ul;
            MendedSums -= isTaken ? 0ul : 1ul;
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

    /// <summary>Reads an extent; each of its device blocks is visited once, with its checksum, and whether it could not be read.</summary>
    private void Read(Extent extent, AlignedBuffer buffer, Action<ulong, uint, bool> visit)
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
                ulong block = part.DeviceBlock + i;
                visit(
                    block,
                    Crc32C.Compute(run.Slice((int)i * LakeFormat.BlockSize, LakeFormat.BlockSize)),
                    device.IsUnreadable((long)block * LakeFormat.BlockSize, LakeFormat.BlockSize));
            }
        }
    }

    /// <summary>What cannot be unpacked proves nothing.</summary>
    private void Take(in Extent part, ReadOnlySpan<byte> run)
    {
        ReadOnlySpan<byte> held = part.IsPacked ? _packs.Read(run) : run;
        _packBlocks = part.IsPacked ? (uint)(held.Length / LakeFormat.BlockSize) : 0;
        _isNoPack = part.IsPacked && part.PackIndex + part.Blocks > _packBlocks;
        if (_hashes && !_isNoPack)
        {
            _hasher.Take(part.FileBlock, part.ContentOf(held));
        }
    }
}
