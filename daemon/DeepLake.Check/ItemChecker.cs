// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Metadata.Tables;
using DeepLake.Platform;

namespace DeepLake.Check;

/// <summary>
/// Reads each item once, checks it alone, and gathers what the cross checks need: counts per inode, sums
/// over both directions of every link, and the blocks in use.
/// </summary>
internal sealed class ItemChecker(CheckTarget target, Findings findings, DamagedPlaces damaged, ContentVerifier? content) : IItemVisitor, IDisposable
{
    private readonly NameHash _hash = new(target.Uuid.ToByteArray(bigEndian: true));
    private readonly PathFinder _paths = new(target.ReadPage, target.Root, target.Height);
    private readonly ulong[] _used = new ulong[(target.Data.Blocks + 63) / 64];
    private readonly ulong[] _unwritten = new ulong[(target.Data.Blocks + 63) / 64];
    private readonly PackChecker _packs = new(target.Data, findings);
    private readonly SharedChecker _shared = new(target.Data, findings);
    private readonly DataVerifier? _data = content is null ? null : new DataVerifier(target, damaged, content);
    private readonly ObjectChecker _objects = new(target, findings, content);

    public Dictionary<ulong, InodeFacts> Inodes { get; } = [];

    public ulong Names { get; private set; }

    public ulong Orphans { get; private set; }

    public ulong Extents { get; private set; }

    /// <summary>Blocks that extents refer to, each counted once.</summary>
    public ulong MappedBlocks { get; private set; }

    /// <summary>Of the archive; they are mapped too, each by its segment alone.</summary>
    public ulong ArchiveBlocks { get; private set; }

    public ulong SharedBlocks => _shared.SharedBlocks;

    public ulong SavedBlocks => _shared.SavedBlocks;

    public ulong SealedBlocks { get; private set; }

    public ulong CheckedBlocks { get; private set; }

    /// <summary>Of files, a shared one for each.</summary>
    public ulong FileBlocks { get; private set; }

    /// <summary>Of them, the packed ones.</summary>
    public ulong PackedBlocks { get; private set; }

    public ulong PackBlocks => _packs.Blocks;

    public ulong VerifiedBlocks => _data?.VerifiedBlocks ?? 0;

    public ulong Objects => _objects.Objects;

    /// <summary>Order-independent sums: entries against links back, entries against name hashes.</summary>
    public ulong EntrySum { get; private set; }

    public ulong ParentSum { get; private set; }

    public ulong EntryNameSum { get; private set; }

    public ulong NameSum { get; private set; }

    public EngineState? State { get; private set; }

    public void Dispose() => _data?.Dispose();

    public void Visit(in ItemKey key, ReadOnlySpan<byte> data)
    {
        switch (key.Type)
        {
            case ItemType.Inode: Inode(key, data); break;
            case ItemType.Parent: Parent(key, data); break;
            case ItemType.Xattr: Xattr(key, data); break;
            case ItemType.Dirname: NameHashes(key, data); break;
            case ItemType.Dirent: Entry(key, data); break;
            case ItemType.Extent: Extent(key, data); break;
            case ItemType.Orphan: Orphan(key); break;
            case ItemType.Bitmap: Bitmap(key, data); break;
            case ItemType.State: Counters(data); break;
            case ItemType.Shared: _shared.Item(key, data); break;
            case ItemType.Object: _objects.Item(key, data, Facts(key.Object), Named(key.Object)); break;
            case ItemType.Identity: _objects.Name(key, data); break;
            case ItemType.Archive: Segment(key, data); break;
            case ItemType.Scrub: ScrubChecker.Item(key, data, target.Data, findings); break;
            default: findings.Add($"unknown item ({key.Object}, {(uint)key.Type}, {key.Offset})"); break;
        }
    }

    /// <summary>
    /// After the walk: chunks of the free-space map that were never stored must be empty, references
    /// beyond the first must have been counted.
    /// </summary>
    public void FinishSpace()
    {
        _shared.Finish();
        for (int word = 0; word < _used.Length; word++)
        {
            if (_used[word] != 0)
            {
                ulong block = target.Data.StartBlock + ((ulong)word * 64);
                findings.Add($"blocks near {block} are mapped but free in the free-space map");
                return;
            }
        }
    }

    private static ulong Mix(ulong a, ulong b, ulong c)
    {
        // splitmix64 finaliser over a combination; sums of it compare multisets
        ulong x = (a * 0x9e3779b97f4a7c15) ^ (b * 0xc2b2ae3d27d4eb4f) ^ (c * 0x165667b19e3779f9);
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
        x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
        return x ^ (x >> 31);
    }

    /// <summary>For findings.</summary>
    public NamedInode Named(ulong ino) => new(_paths, ino, Inodes.TryGetValue(ino, out InodeFacts? facts) && !facts.IsDirectory ? facts.Nlink : 1);

    private InodeFacts Facts(ulong ino)
    {
        if (!Inodes.TryGetValue(ino, out InodeFacts? facts))
        {
            facts = new InodeFacts();
            Inodes.Add(ino, facts);
        }

        return facts;
    }

    private void Inode(in ItemKey key, ReadOnlySpan<byte> data)
    {
        InodeFacts facts = Facts(key.Object);
        if (key.Offset > 0)
        {
            facts.LinkBytesFound += (uint)data.Length;
            return;
        }

        if (data.Length != Marshal.SizeOf<InodeRecord>())
        {
            findings.Add($"{Named(key.Object)} has a record of {data.Length} bytes");
            return;
        }

        InodeRecord record = MemoryMarshal.Read<InodeRecord>(data);
        findings.Require(record.Ino == key.Object, $"{Named(key.Object)} calls itself {record.Ino}");
        findings.Require(
            record.Ino == LakeFormat.RootIno || (record.Ino >= LakeFormat.FirstIno && record.Ino < target.Counters.NextIno),
            $"{Named(record.Ino)} is outside the numbers given out");
        findings.Require(
            record.LastSeq <= target.Counters.AppliedSeq && record.DataSeq <= target.Counters.AppliedSeq, $"{Named(record.Ino)} was changed by a future intent");
        facts.HasRecord = true;
        facts.Mode = record.Mode;
        facts.Nlink = record.Nlink;
        facts.Size = record.Size;
        facts.DataSeq = record.DataSeq;
        facts.Blocks = record.Blocks;
        facts.XattrCount = record.XattrCount;
        facts.LinkBytes = record.LinkBytes;
    }

    private void Parent(in ItemKey key, ReadOnlySpan<byte> data)
    {
        if (data.Length != 8)
        {
            findings.Add($"{Named(key.Object)} has a malformed link back");
            return;
        }

        ulong dir = MemoryMarshal.Read<ulong>(data);
        ParentSum += Mix(dir, key.Offset, key.Object);
    }

    private void Xattr(in ItemKey key, ReadOnlySpan<byte> data)
    {
        if ((key.Offset & 0xff) != 0)
        {
            return;
        }

        Facts(key.Object).XattrsFound++;
        findings.Require(
            data.Length >= 8 && data.Length >= 8 + MemoryMarshal.Read<XattrItem>(data).NameBytes,
            $"{Named(key.Object)} has a malformed xattr");
    }

    private void NameHashes(in ItemKey key, ReadOnlySpan<byte> data)
    {
        findings.Require(data.Length > 0 && data.Length % 8 == 0, $"{Named(key.Object)}, a directory, has a malformed name hash");
        foreach (ulong cookie in MemoryMarshal.Cast<byte, ulong>(data))
        {
            NameSum += Mix(key.Object, cookie, key.Offset);
        }
    }

    private void Entry(in ItemKey key, ReadOnlySpan<byte> data)
    {
        if (data.Length < 17 || data.Length != 16 + MemoryMarshal.Read<Dirent>(data).NameBytes)
        {
            findings.Add($"{Named(key.Object)}, a directory, has a malformed entry");
            return;
        }

        Dirent entry = MemoryMarshal.Read<Dirent>(data);
        ReadOnlySpan<byte> name = data[16..];
        findings.Require(
            !name.ContainsAny((byte)0, (byte)'/') && !name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8),
            $"{Named(key.Object)}, a directory, has an entry with an impossible name");
        Names++;
        EntrySum += Mix(key.Object, key.Offset, entry.Ino);
        EntryNameSum += Mix(key.Object, key.Offset, _hash.Compute(name));

        InodeFacts dir = Facts(key.Object);
        dir.EntriesFound++;
        InodeFacts child = Facts(entry.Ino);
        child.NamesFound++;
        if (entry.Type == 4)
        {
            dir.SubdirectoriesFound++;
            child.ParentDirectory = key.Object;
        }

        // a child of either number order: its record may come before or after this entry
        child.DirentTypes |= 1u << (entry.Type & 31);
    }

    private void Extent(in ItemKey key, ReadOnlySpan<byte> data)
    {
        int header = Marshal.SizeOf<ExtentItem>();
        if (data.Length < header)
        {
            findings.Add($"{Named(key.Object)} has a malformed extent");
            return;
        }

        ExtentItem item = MemoryMarshal.Read<ExtentItem>(data);
        bool hasCrcs = (item.Flags & ExtentFlags.Crc) != 0;
        InodeFacts facts = Facts(key.Object);
        findings.Require(
            item.Blocks > 0 && data.Length == header + (hasCrcs ? (long)item.Blocks * 4 : 0)
            && (item.Flags & ~(ExtentFlags.Crc | ExtentFlags.Unwritten | ExtentFlags.Sealed | ExtentFlags.Checked | ExtentFlags.Packed | ExtentFlags.SkewMask)) == 0,
            $"{Named(key.Object)}: extent at block {key.Offset} is malformed");
        Sealing(key, item);
        findings.Require(key.Offset >= facts.ExtentEnd, $"{Named(key.Object)}: extents overlap at block {key.Offset}");
        facts.ExtentEnd = key.Offset + item.Blocks;
        facts.BlocksFound += item.Blocks;
        facts.HasUncheckedData |= (item.Flags & (ExtentFlags.Unwritten | ExtentFlags.Checked)) == 0 && key.Offset * LakeFormat.BlockSize < facts.Size;
        Extents++;
        if (!PackChecker.Fits(item))
        {
            return; // there is nothing that it refers to for certain
        }

        var extent = new Extent(key.Offset, item.PhysBlock, item.Blocks, item.Flags, item.BirthSeq);
        ulong deviceBlocks = extent.IsPacked ? extent.DeviceBlocks : item.Blocks + (extent.IsSkewed ? 1ul : 0ul);
        if (extent.DeviceBlock < target.Data.StartBlock || deviceBlocks > target.Data.Blocks
            || extent.DeviceBlock - target.Data.StartBlock > target.Data.Blocks - deviceBlocks)
        {
            findings.Add($"{Named(key.Object)}: extent at block {key.Offset} points outside the data region");
            return;
        }

        _packs.Mark(extent, _used, Named(key.Object));
        MarkUsed(key, extent, deviceBlocks);
        bool isEvidence = hasCrcs && item.BirthSeq > target.EvidenceAfter;
        _data?.Verify(key.Object, extent, isEvidence ? MemoryMarshal.Cast<byte, uint>(data[header..]) : default, facts, Named(key.Object));
    }

    private void Sealing(in ItemKey key, in ExtentItem item)
    {
        bool isSealed = (item.Flags & ExtentFlags.Sealed) != 0;
        bool isChecked = (item.Flags & ExtentFlags.Checked) != 0;
        findings.Require(
            !isSealed || (item.Flags & ExtentFlags.Unwritten) == 0, $"{Named(key.Object)}: extent at block {key.Offset} is sealed and unwritten");
        findings.Require(
            isChecked || (item.Flags & (ExtentFlags.SkewMask | ExtentFlags.Packed)) == 0,
            $"{Named(key.Object)}: extent at block {key.Offset} is skewed or packed and not checked");
        findings.Require(PackChecker.Fits(item), $"{Named(key.Object)}: extent at block {key.Offset} does not fit into its pack");
        findings.Require(isSealed || !isChecked, $"{Named(key.Object)}: extent at block {key.Offset} is checked and not sealed");
        findings.Require(
            !isChecked || (item.Flags & ExtentFlags.Crc) == 0,
            $"{Named(key.Object)}: extent at block {key.Offset} is checked and has checksums in the tree");
        SealedBlocks += isSealed ? item.Blocks : 0;
        CheckedBlocks += isChecked ? item.Blocks : 0;
        FileBlocks += item.Blocks;
        PackedBlocks += (item.Flags & ExtentFlags.Packed) != 0 ? item.Blocks : 0;
    }

    private void MarkUsed(in ItemKey key, in Extent extent, ulong deviceBlocks)
    {
        ulong first = extent.DeviceBlock - target.Data.StartBlock;
        bool unwritten = extent.IsUnwritten;
        for (ulong bit = first; bit < first + deviceBlocks; bit++)
        {
            ulong mask = 1ul << (int)(bit & 63);
            if ((_used[bit >> 6] & mask) != 0)
            {
                _shared.AddReference(bit);
                findings.Require(
                    !unwritten && (_unwritten[bit >> 6] & mask) == 0,
                    $"block {bit + target.Data.StartBlock} is mapped twice and unwritten, once by {Named(key.Object)}");
            }
            else
            {
                MappedBlocks++;
            }

            _used[bit >> 6] |= mask;
            _unwritten[bit >> 6] |= unwritten ? mask : 0;
        }
    }

    private void Segment(in ItemKey key, ReadOnlySpan<byte> data)
    {
        ArchiveItem item = data.Length == Marshal.SizeOf<ArchiveItem>() ? MemoryMarshal.Read<ArchiveItem>(data) : default;
        if (key.Object != ObjectIds.Archive || item.Kind is not (ArchiveKind.Log or ArchiveKind.Base) || item.Blocks == 0
            || item.Block < target.Data.StartBlock || item.Blocks > target.Data.Blocks
            || item.Block - target.Data.StartBlock > target.Data.Blocks - item.Blocks)
        {
            findings.Add($"segment {key.Offset} of the archive is malformed");
            return;
        }

        findings.Require(
            key.Offset != 0 && key.Offset < target.Counters.ArchiveNumber, $"segment {key.Offset} of the archive has a number that was not given out");
        ArchiveBlocks += item.Blocks;
        for (ulong bit = item.Block - target.Data.StartBlock; bit < item.Block - target.Data.StartBlock + item.Blocks; bit++)
        {
            // as if unwritten: a file that maps it, before or after this, is a finding
            ulong mask = 1ul << (int)(bit & 63);
            findings.Require((_used[bit >> 6] & mask) == 0, $"block {bit + target.Data.StartBlock} of the archive's segment {key.Offset} is mapped");
            MappedBlocks += (_used[bit >> 6] & mask) == 0 ? 1ul : 0ul;
            _used[bit >> 6] |= mask;
            _unwritten[bit >> 6] |= mask;
        }
    }

    private void Orphan(in ItemKey key)
    {
        Facts(key.Offset).IsOrphan = true;
        Orphans++;
    }

    private void Bitmap(in ItemKey key, ReadOnlySpan<byte> data)
    {
        const int wordsPerChunk = LakeFormat.BitmapChunkBlocks / 64;
        ulong firstWord = key.Offset * wordsPerChunk;
        if (data.Length != wordsPerChunk * 8 || firstWord >= (ulong)_used.Length)
        {
            findings.Add($"free-space chunk {key.Offset} is malformed");
            return;
        }

        ReadOnlySpan<ulong> stored = MemoryMarshal.Cast<byte, ulong>(data);
        for (int i = 0; i < wordsPerChunk; i++)
        {
            ulong mine = firstWord + (ulong)i < (ulong)_used.Length ? _used[firstWord + (ulong)i] : 0;
            if (mine != stored[i])
            {
                ulong near = target.Data.StartBlock + ((firstWord + (ulong)i) * 64);
                findings.Add($"free-space chunk {key.Offset} disagrees with the maps near block {near}");
                break;
            }
        }

        int from = (int)firstWord;
        Array.Clear(_used, from, Math.Min(wordsPerChunk, _used.Length - from));
    }

    private void Counters(ReadOnlySpan<byte> data)
    {
        if (data.Length == Marshal.SizeOf<EngineState>())
        {
            State = MemoryMarshal.Read<EngineState>(data);
        }
        else
        {
            findings.Add($"the engine state record is malformed");
        }
    }
}
