// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.Ingest;
using DeepLake.Hash;
using DeepLake.Platform;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>
/// Files on a device in memory, with an engine and a kernel that only play: they keep the maps, refuse what the
/// kernel refuses (docs/ring-protocol.md, "Sharing"), and compare the bytes of what they are asked for.
/// </summary>
internal sealed class PlayedLake : IIngestEngine, ISharer, IDisposable
{
    private const int Block = LakeFormat.BlockSize;
    private const ulong DataBlocks = 24 << 10;

    private readonly Dictionary<ulong, PlayedFile> _files = [];
    private ulong _next;
    private ulong _seq = 100;
    private ulong _applied = 100;
    private int _ids;

    public PlayedLake()
    {
        Superblock = new Superblock
        {
            Anchors = new Region { StartBlock = 10, Blocks = DataBlocks / LakeFormat.AnchorDataBlocks },
            Sums = new Region { StartBlock = 100, Blocks = DataBlocks / LakeFormat.SumsPerBlock },
            Data = new Region { StartBlock = 200, Blocks = DataBlocks },
        };
        _next = Superblock.Data.StartBlock;
        Device = new MemoryBlockDevice((long)(Superblock.Data.StartBlock + DataBlocks) * Block);
        Table = new ChecksumTable(Device, Superblock);
        Anchors = new AnchorTable(Device, Superblock);
        Reader = new PieceReader(Device, Table);
        Pieces = new PieceIngest(this, this, Reader, Anchors);
    }

    public Superblock Superblock { get; }

    public MemoryBlockDevice Device { get; }

    public ChecksumTable Table { get; }

    public AnchorTable Anchors { get; }

    public PieceReader Reader { get; }

    public PieceIngest Pieces { get; }

    /// <summary>What was done.</summary>
    public List<ShareArgs> Shares { get; } = [];

    /// <summary>How often it was asked.</summary>
    public int Asked { get; private set; }

    /// <summary>What it answers to which asking.</summary>
    public Func<int, Errno> Refusal { get; set; } = _ => Errno.None;

    public bool IsFull { get; set; }

    /// <summary>The newest one is not applied when it is asked for the first time.</summary>
    public ulong AppliedSeq
    {
        get
        {
            ulong applied = _applied;
            _applied = _seq;
            return applied;
        }
    }

    /// <summary>Makes a file, or writes it anew somewhere else.</summary>
    /// <param name="ino">Its number.</param>
    /// <param name="content">Its content; what is behind it in the last block is anything.</param>
    /// <param name="extentBlocks">How long its extents are; they do not lie together on the device.</param>
    /// <param name="skew">By how much they are skewed.</param>
    /// <param name="holes">Blocks that are left out.</param>
    public void Write(ulong ino, byte[] content, int extentBlocks = int.MaxValue, int skew = 0, Predicate<int>? holes = null)
    {
        _files.TryGetValue(ino, out PlayedFile? old);
        var file = new PlayedFile { Size = (ulong)content.Length, Content = content, MapSeq = ++_seq, DataSeq = _seq, Generation = (uint)ino + 1000 };
        file.MapSeq = Math.Max(file.MapSeq, old?.MapSeq ?? 0);
        int blocks = (content.Length + Block - 1) / Block;
        for (int from = 0; from < blocks; from += extentBlocks)
        {
            extentBlocks = Math.Min(extentBlocks, blocks);
            int count = Math.Min(extentBlocks, blocks - from);
            byte[] bytes = new byte[(count + (skew > 0 ? 1 : 0)) * Block];
            new Random((int)_next).NextBytes(bytes);
            content.AsSpan(from * Block, Math.Min(count * Block, content.Length - (from * Block))).CopyTo(bytes.AsSpan(skew));
            Store(bytes);
            _ids++;
            for (int i = 0; i < count; i++)
            {
                bool isHole = holes?.Invoke(from + i) == true;
                file.Blocks.Add(isHole ? default : new PlayedBlock((_next * Block) + (ulong)(skew + (i * Block)), _ids, true));
            }

            _next += (ulong)(bytes.Length / Block) + 3;
        }

        _files[ino] = file;
    }

    public void Remove(ulong ino) => _files.Remove(ino);

    /// <summary>A reflink of a range of blocks.</summary>
    public void Clone(ulong from, ulong to, int block, int blocks)
    {
        for (int i = block; i < block + blocks; i++)
        {
            _files[to].Blocks[i] = _files[from].Blocks[i];
        }
    }

    public void Uncheck(ulong ino, int block) => _files[ino].Blocks[block] = _files[ino].Blocks[block] with { IsChecked = false };

    public void Damage(ulong ino, int block)
    {
        byte[] one = new byte[1];
        long at = (long)_files[ino].Blocks[block].Pos;
        Device.Read(one, at);
        one[0] ^= 8;
        Device.Write(one, at);
    }

    /// <summary>Has it share what it can; the steps that took.</summary>
    public int Ingest(ulong ino, Action<int>? between = null)
    {
        PlayedFile file = _files[ino];
        Pieces.Lister.Begin();
        for (int i = 0; i < file.Blocks.Count; i++)
        {
            if (file.Blocks[i].Pos != 0)
            {
                Pieces.Lister.Append((ulong)i * Block, file.Content.AsSpan(i * Block, Math.Min(Block, file.Content.Length - (i * Block))));
            }
        }

        Pieces.Begin(ino, file.DataSeq);
        int steps = 0;
        for (; !Pieces.IsDone && steps < 100_000; steps++)
        {
            Pieces.Advance();
            between?.Invoke(steps);
        }

        Assert.That(Pieces.IsDone);
        return steps;
    }

    /// <summary>All files read what they are.</summary>
    public void AssertContents()
    {
        foreach ((ulong ino, PlayedFile file) in _files)
        {
            for (int i = 0; i < file.Blocks.Count; i++)
            {
                int bytes = Math.Min(Block, file.Content.Length - (i * Block));
                if (!Read(file, i).AsSpan(0, bytes).SequenceEqual(file.Content.AsSpan(i * Block, bytes)))
                {
                    Assert.Fail($"block {i} of {ino} is not what it was");
                }
            }
        }
    }

    public SealView? LookForSeal(ulong ino, ulong fileBlock, uint blocks)
    {
        if (!_files.TryGetValue(ino, out PlayedFile? file))
        {
            return null;
        }

        int start = (int)Math.Min(fileBlock, int.MaxValue);
        while (start < file.Blocks.Count && file.Blocks[start].Pos == 0)
        {
            start++;
        }

        if (start >= file.Blocks.Count)
        {
            return null;
        }

        return new SealView
        {
            Ino = ino,
            Generation = file.Generation,
            AppliedSeq = _seq,
            UncleanSeq = 0,
            MetadataIsFull = IsFull,
            FileBlock = (ulong)start,
            Blocks = blocks,
            Pieces = PiecesOf(file, start, (int)Math.Min((uint)(file.Blocks.Count - start), blocks), References()),
        };
    }

    public ContentView? LookAtContent(ulong ino, ulong fileBlock) => !_files.TryGetValue(ino, out PlayedFile? file) ? null : new ContentView
    {
        AppliedSeq = _seq,
        DataSeq = file.DataSeq,
        Size = file.Size,
        MappedBlocks = (ulong)file.Blocks.Count,
        HasObject = true,
        WrittenBlocks = 0,
        IsChecked = true,
        NextBlock = ulong.MaxValue,
    };

    public bool PutObject(ulong ino, ulong dataSeq, ulong size, Blake3Hash id) => throw new NotSupportedException();

    public EqualFiles? FindEqual(ulong ino, ulong size, Blake3Hash id) => throw new NotSupportedException();

    public EqualFiles? FindEqual(ulong ino) => throw new NotSupportedException();

    public ShareView? LookForShare(ulong source, ulong target, ulong fileBlock, uint blocks) => throw new NotSupportedException();

    public Errno Share(ref ShareArgs args)
    {
        if (Refusal(Asked++) is not Errno.None and Errno refusal)
        {
            return refusal;
        }

        Assert.That(args.SrcIno, Is.Not.EqualTo(args.DstIno));
        Assert.That(args.Blocks, Is.InRange(1, LakeRing.CloneBlocksMax));
        Assert.That(args.Flags, Is.Zero);
        if (!_files.TryGetValue(args.SrcIno, out PlayedFile? source) || !_files.TryGetValue(args.DstIno, out PlayedFile? target)
            || source.Generation != args.SrcGeneration || target.Generation != args.DstGeneration)
        {
            return Errno.ENOENT;
        }

        if (source.MapSeq > args.MapSeq || target.MapSeq > args.MapSeq)
        {
            return Errno.EAGAIN;
        }

        AssertAllowed(args, source, target);
        Replace(args, source, target);
        target.MapSeq = args.Seq = ++_seq;
        _applied = _seq - 1;
        Shares.Add(args);
        return Errno.None;
    }

    public void Dispose()
    {
        Reader.Dispose();
        Anchors.Dispose();
        Table.Dispose();
        Device.Dispose();
    }

    private void Store(byte[] bytes)
    {
        Device.Write(bytes, (long)_next * Block);
        for (int i = 0; i < bytes.Length / Block; i++)
        {
            Table.Stage(_next + (ulong)i, [Crc32C.Compute(bytes.AsSpan(i * Block, Block))]);
        }

        Table.Store();
    }

    private byte[] Read(PlayedFile file, int block)
    {
        byte[] bytes = new byte[Block];
        if (file.Blocks[block].Pos != 0)
        {
            Device.Read(bytes, (long)file.Blocks[block].Pos);
        }

        return bytes;
    }

    // All maps of the lake: what the test is about is that this holds whatever is asked for.
    private void AssertAllowed(in ShareArgs args, PlayedFile source, PlayedFile target)
    {
        ulong bytes = args.Blocks * Block;
        bool haveOneEnd = source.Size == target.Size && args.SrcPos == args.DstBlock * Block;
        Assert.That(haveOneEnd || (args.SrcPos + bytes <= source.Size && (args.DstBlock * Block) + bytes <= target.Size), "the ends");
        int from = (int)(args.SrcPos / Block);
        int end = (int)((args.SrcPos + bytes + Block - 1) / Block);
        Assert.That(source.Blocks.Skip(from).Take(end - from).All(b => b.Pos != 0 && b.IsChecked));
        Assert.That(target.Blocks.Skip((int)args.DstBlock).Take((int)args.Blocks).All(b => b.Pos != 0 && b.IsChecked));
        if (args.SrcPos % Block != 0)
        {
            Assert.That(PiecesOf(source, from, end - from, References()), Has.Count.EqualTo(1), "one extent");
        }

        for (int i = 0; i < (int)args.Blocks; i++)
        {
            ulong pos = args.SrcPos + (ulong)(i * Block);
            ulong device = DeviceOf(source, pos);
            byte[] there = new byte[Block];
            Device.Read(there, (long)device);
            byte[] here = Read(target, (int)args.DstBlock + i);
            int valid = (int)Math.Min(Block, source.Size - pos);
            if (!there.AsSpan(0, valid).SequenceEqual(here.AsSpan(0, valid)))
            {
                Assert.Fail($"block {i} of what is asked for is not equal");
            }

            if (device == target.Blocks[(int)args.DstBlock + i].Pos)
            {
                Assert.Fail($"block {i} of what is asked for is shared already");
            }
        }
    }

    private static ulong DeviceOf(PlayedFile file, ulong pos) => file.Blocks[(int)(pos / Block)].Pos + (pos % Block);

    private void Replace(in ShareArgs args, PlayedFile source, PlayedFile target)
    {
        _ids++;
        for (int i = 0; i < (int)args.Blocks; i++)
        {
            ulong pos = args.SrcPos + (ulong)(i * Block);
            int id = pos % Block == 0 ? source.Blocks[(int)(pos / Block)].Id : _ids;
            target.Blocks[(int)args.DstBlock + i] = new PlayedBlock(DeviceOf(source, pos), id, true);
        }
    }

    private Dictionary<ulong, int> References()
    {
        var references = new Dictionary<ulong, int>();
        foreach (PlayedFile file in _files.Values)
        {
            foreach (SealPiece piece in PiecesOf(file, 0, file.Blocks.Count, []))
            {
                for (uint i = 0; i < piece.DeviceBlocks; i++)
                {
                    references[piece.PhysBlock + i] = references.GetValueOrDefault(piece.PhysBlock + i) + 1;
                }
            }
        }

        return references;
    }

    private static List<SealPiece> PiecesOf(PlayedFile file, int from, int count, Dictionary<ulong, int> references)
    {
        var pieces = new List<SealPiece>();
        PlayedBlock last = default;
        for (int i = from; i < from + count; i++)
        {
            PlayedBlock block = file.Blocks[i];
            if (block.Pos != 0)
            {
                ulong phys = block.Pos / Block;
                uint skew = (uint)(block.Pos % Block);
                bool isShared = references.GetValueOrDefault(phys) > 1 || (skew > 0 && references.GetValueOrDefault(phys + 1) > 1);
                uint flags = ExtentFlags.Sealed | (block.IsChecked ? ExtentFlags.Checked : 0) | (isShared ? ExtentFlags.Shared : 0) | (skew << ExtentFlags.SkewShift);
                bool goesOn = last.Pos + Block == block.Pos && last.Id == block.Id && pieces[^1].Flags == flags && pieces[^1].FileEnd == (ulong)i;
                if (goesOn)
                {
                    pieces[^1] = pieces[^1] with { Blocks = pieces[^1].Blocks + 1 };
                }
                else
                {
                    pieces.Add(new SealPiece((ulong)i, phys, 1, flags, 1, []));
                }
            }

            last = block;
        }

        return pieces;
    }

    private readonly record struct PlayedBlock(ulong Pos, int Id, bool IsChecked);

    private sealed class PlayedFile
    {
        public required ulong Size { get; init; }

        public required byte[] Content { get; init; }

        public required ulong MapSeq { get; set; }

        public required ulong DataSeq { get; init; }

        public required uint Generation { get; init; }

        public List<PlayedBlock> Blocks { get; } = [];
    }
}
