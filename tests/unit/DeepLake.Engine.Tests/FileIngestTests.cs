// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine.Ingest;
using DeepLake.Hash;
using DeepLake.Metadata.Tree;
using DeepLake.Platform;
using DeepLake.Sim;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>Whole files: their identities, and equal ones, with a kernel that records and applies when it is told to.</summary>
[TestFixture]
public sealed class FileIngestTests
{
    private const int Block = LakeFormat.BlockSize;
    private const uint RangeBlocks = 64;

    private MemoryBlockDevice _device = null!;
    private LakeEngine _engine = null!;
    private ChecksumTable _table = null!;
    private ReadBack _readBack = null!;
    private FileIngest _ingest = null!;
    private Kernel _kernel = null!;
    private ulong _data;
    private ulong _blocksRead;
    private int _damaged;
    private bool _isStopped;

    [SetUp]
    public void Open()
    {
        _device = new MemoryBlockDevice(128L << 20);
        Lake.Format(_device);
        _engine = Lake.Open(_device);
        Lake.Mount(_engine);
        _data = _engine.Superblock.Data.StartBlock;
        _kernel = new Kernel(_engine);
        _table = new ChecksumTable(_device, _engine.Superblock);
        _blocksRead = 0;
        _damaged = 0;
        _isStopped = false;
        _readBack = new ReadBack(_device, _table) { Pace = bytes => _blocksRead += (ulong)bytes / Block };
        _ingest = new FileIngest(_engine, _kernel, _readBack) { Damaged = blocks => _damaged += blocks.Count, IsStopped = () => _isStopped };
        for (ulong ino = 20; ino < 24; ino++)
        {
            Apply(new IntentCreate { Dir = 1, Ino = ino, Mode = 0x8180, Generation = 7, NameBytes = 2 }, IntentOp.Create, IntentWriter.Name($"{ino}"));
        }
    }

    [TearDown]
    public void Close()
    {
        _readBack.Dispose();
        _table.Dispose();
        _engine.Dispose();
        _device.Dispose();
    }

    [TestCase(0, 1)]
    [TestCase(0, 300)]
    [TestCase(3, 300)]
    [TestCase(1000, 5)]
    public void AFreshFile_IsReadOnce_AndGetsItsIdentity(int from, int blocks)
    {
        byte[] content = Write(20, (ulong)from, _data, blocks, seed: 1);
        Resize(20, content.Length - 1000);
        Run(20);
        Assert.That(Identity(20), Is.EqualTo(Blake3.Hash(content.AsSpan(0, content.Length - 1000))));
        Assert.That(_blocksRead, Is.EqualTo((ulong)blocks));
        AssertClean();
    }

    [Test]
    public void HolesAndUnwrittenBlocks_AreZeroes()
    {
        byte[] content = new byte[700 * Block];
        Write(20, 5, _data, 10, seed: 1).AsSpan(5 * Block).CopyTo(content.AsSpan(5 * Block));
        Write(20, 100, _data + 100, 80, seed: 2).AsSpan(100 * Block).CopyTo(content.AsSpan(100 * Block));
        Apply(new IntentMap { Ino = 20, FileBlock = 40, PhysBlock = _data + 300, Blocks = 20, Flags = ExtentFlags.Unwritten }, IntentOp.Map);
        Resize(20, content.Length);
        Run(20);
        Assert.That(Identity(20), Is.EqualTo(Blake3.Hash(content)));
        Assert.That(_blocksRead, Is.EqualTo(90ul));
        AssertClean();
    }

    [Test]
    public void BlocksBehindTheEnd_AreNoContent()
    {
        byte[] content = Write(20, 0, _data, 10, seed: 1);
        Resize(20, 5 * Block);
        Write(20, 70, _data + 100, 4, seed: 2, grows: false);
        Run(20);
        Assert.That(Identity(20), Is.EqualTo(Blake3.Hash(content.AsSpan(0, 5 * Block))));
    }

    [Test]
    public void AFileThatWasCheckedInPart_IsReadAgain()
    {
        byte[] content = Write(20, 0, _data, 200, seed: 1);
        Run(20);
        byte[] piece = Write(20, 50, _data + 500, 1, seed: 2);
        piece.AsSpan(50 * Block).CopyTo(content.AsSpan(50 * Block));
        _blocksRead = 0;
        Run(20);
        Assert.That(Identity(20), Is.EqualTo(Blake3.Hash(content)));
        Assert.That(_blocksRead, Is.EqualTo(201ul));
        AssertClean();
    }

    [Test]
    public void ADamagedBlock_IsNotGivenAnIdentity_WhenItIsReadAgain()
    {
        Write(20, 0, _data, 100, seed: 1);
        Run(20);
        Write(20, 3, _data + 500, 1, seed: 2);
        FlipBit((long)(_data + 80) * Block);
        Run(20);
        Assert.That(_damaged, Is.EqualTo(1));
        Assert.That(IsHeld(20), Is.False);
    }

    [Test]
    public void DataThatIsNotWhatWasWritten_IsNotGivenAnIdentity()
    {
        Write(20, 0, _data, 100, seed: 1);
        FlipBit((long)(_data + 80) * Block);
        Run(20);
        Assert.That(_damaged, Is.EqualTo(1));
        Assert.That(IsHeld(20), Is.False);
    }

    /// <summary>Whatever step it is done after.</summary>
    [Test]
    public void AFileThatChangesMeanwhile_HasNoIdentityOfWhatItWas([Range(0, 24)] int steps, [Values(0, 1, 2, 3)] int how)
    {
        byte[] content = Write(20, 0, _data, 100, seed: 1);
        _ingest.Begin(20, RangeBlocks);
        for (int i = 0; i < steps; i++)
        {
            Step();
        }

        switch (how)
        {
            case 0:
                Write(20, 70, _data + 500, 1, seed: 2).AsSpan(70 * Block).CopyTo(content.AsSpan(70 * Block));
                break;
            case 1:
                Apply(new IntentUnmap { Ino = 20, FileBlock = 2, Blocks = 1 }, IntentOp.Unmap);
                content.AsSpan(2 * Block, Block).Clear();
                break;
            case 2:
                Resize(20, (99 * Block) + 5);
                content = content[..((99 * Block) + 5)];
                break;
            default:
                Apply(new IntentSeal { Ino = 20, FileBlock = 3, Blocks = 1 }, IntentOp.Unseal);
                _engine.Commit();
                content[3 * Block] ^= 1;
                _device.Write(content.AsSpan(3 * Block, Block), (long)(_data + 3) * Block);
                Overwritten(20, 3, 1);
                break;
        }

        Finish();
        AssertHonest(20, content);
        Run(20);
        Run(20);
        Assert.That(Identity(20), Is.EqualTo(Blake3.Hash(content)));
        AssertClean();
    }

    [Test]
    public void EqualFiles_ShareTheBlocksOfTheFirst()
    {
        byte[] content = Write(20, 0, _data, 150, seed: 1);
        Write(21, 0, _data + 1000, 150, seed: 1);
        Write(22, 0, _data + 2000, 150, seed: 1);
        Write(23, 0, _data + 3000, 150, seed: 2);
        for (ulong ino = 20; ino < 24; ino++)
        {
            Run(ino);
            Assert.That(_ingest.Refusal, Is.EqualTo(Errno.None));
        }

        _engine.Commit();
        EngineStats stats = _engine.GetStats();
        Assert.That((stats.UsedBlocks, stats.SavedBlocks, stats.Objects), Is.EqualTo((300ul, 300ul, 4ul)));
        foreach (ulong ino in (ulong[])[20, 21, 22])
        {
            Assert.That(Lake.Extents(_engine, ino).Select(e => (e.FileBlock, e.PhysBlock)), Is.EqualTo(new[] { (0ul, _data) }));
            Assert.That(Identity(ino), Is.EqualTo(Blake3.Hash(content)));
        }

        int asked = _kernel.Asked;
        Run(21);
        Run(20);
        Assert.That(_kernel.Asked, Is.EqualTo(asked), "there is nothing to do any more");
        AssertClean();
        Assert.That(Unfinished(), Is.Empty);
    }

    [Test]
    public void SparseEqualFiles_ShareWhatIsWritten_RangeAfterRange()
    {
        foreach ((ulong ino, ulong phys) in new[] { (20ul, _data), (21ul, _data + 1000) })
        {
            Write(ino, 3, phys, 10, seed: 1);
            Write(ino, 9000, phys + 100, 10, seed: 2);
            Run(ino);
        }

        Assert.That(_kernel.Shares.Select(s => (s.FileBlock, s.Blocks)), Is.EqualTo(new[] { (3ul, 4096ul), (9000ul, 10ul) }));
        Assert.That(_engine.GetStats().UsedBlocks, Is.EqualTo(20ul));
        AssertClean();
    }

    [TestCase(Errno.EBUSY, 1)]
    [TestCase(Errno.ENOSPC, 1)]
    [TestCase(Errno.EAGAIN, 3)]
    public void ARefusedShare_IsSaid_AndFoundLater(Errno refusal, int tries)
    {
        Write(20, 0, _data, 10, seed: 1);
        Write(21, 0, _data + 1000, 10, seed: 1);
        Run(20);
        _kernel.ShareRefusal = refusal;
        Run(21);
        Assert.That(_ingest.Refusal, Is.EqualTo(refusal));
        Assert.That(_kernel.Shares, Has.Count.EqualTo(tries));
        Assert.That(Unfinished(), Is.EqualTo(new[] { 20ul }), "by the one that the other one's content is not found for");
        _kernel.ShareRefusal = Errno.None;
        Run(20);
        Assert.That(_engine.GetStats().UsedBlocks, Is.EqualTo(10ul));
        Assert.That(Lake.Extents(_engine, 21).Single().PhysBlock, Is.EqualTo(_data), "the older one's blocks stay");
        AssertClean();
    }

    [Test]
    public void AFileThatChangedBeforeItIsShared_IsLeftAlone()
    {
        Write(20, 0, _data, 10, seed: 1);
        Write(21, 0, _data + 1000, 10, seed: 1);
        Run(20);
        _ingest.Begin(21, RangeBlocks);
        while (_engine.GetStats().Objects < 2)
        {
            Step();
        }

        Write(20, 2, _data + 500, 1, seed: 2);
        Finish();
        Assert.That(_kernel.Shares, Is.Empty);
        Assert.That(_engine.GetStats().SavedBlocks, Is.Zero);
        AssertClean();
    }

    [Test]
    public void AnEmptyFile_OrOneOfHoles_GetsNone()
    {
        Run(20);
        Resize(21, 1 << 20);
        Run(21);
        Write(22, 0, _data, 1, seed: 1);
        Resize(22, 1L << 42);
        Run(22);
        Assert.That(_engine.GetStats().Objects, Is.Zero);
        Assert.That(Unfinished(), Is.Empty);
    }

    [Test]
    public void ALongHole_IsGivenUp_WhenTheIngestIsToEnd()
    {
        Write(20, 0, _data, 1, seed: 1);
        Resize(20, 900L << 20);
        _isStopped = true;
        _ingest.Begin(20, RangeBlocks);
        for (int i = 0; i < 100; i++)
        {
            Step();
        }

        Assert.That(_engine.GetStats().Objects, Is.Zero);
    }

    private List<ulong> Unfinished()
    {
        var found = new List<ulong>();
        Assert.That(_engine.FindUnfinished(0, 1000, found), Is.EqualTo(ulong.MaxValue));
        return found;
    }

    private void Run(ulong ino)
    {
        _ingest.Begin(ino, RangeBlocks);
        Finish();
    }

    private void Finish()
    {
        for (int i = 0; i < 1000 && !_ingest.IsDone; i++)
        {
            Step();
        }

        Assert.That(_ingest.IsDone);
    }

    // What the kernel recorded comes a step later.
    private void Step()
    {
        _ingest.Advance();
        if (_ingest.IsWaiting || _ingest.IsDone)
        {
            _kernel.Send();
        }
    }

    private bool IsHeld(ulong ino) => _engine.LookAtContent(ino, 0)!.HasObject;

    private Blake3Hash? Identity(ulong ino) =>
        IsHeld(ino) && _engine.TreeForCheck().TryGet(new TreeKey(ino, (uint)ItemType.Object, 0), out ReadOnlySpan<byte> item)
            ? Blake3Hash.Read(item[..Blake3Hash.SizeBytes])
            : null;

    private void AssertHonest(ulong ino, byte[] content)
    {
        if (Identity(ino) is { } id)
        {
            Assert.That(id, Is.EqualTo(Blake3.Hash(content)));
        }
    }

    private void AssertClean() => Assert.That(Lake.CheckData(_engine, _device).Findings, Is.Empty);

    private void Apply<T>(T intent, IntentOp op, params byte[][] parts)
        where T : unmanaged
    {
        _kernel.Send();
        _engine.Apply(IntentWriter.Encode(intent, op, _engine.AppliedSeq + 1, parts));
        _kernel.Note(intent);
    }

    /// <summary>Data that the seed decides, with its checksums; the file's whole content up to it.</summary>
    private byte[] Write(ulong ino, ulong fileBlock, ulong phys, int blocks, int seed, bool grows = true)
    {
        byte[] content = new byte[((int)fileBlock + blocks) * Block];
        Span<byte> bytes = content.AsSpan((int)fileBlock * Block);
        new Random(seed).NextBytes(bytes);
        _device.Write(bytes, (long)phys * Block);
        for (int done = 0; done < blocks; done += (int)LakeRing.MapBlocksMax)
        {
            uint[] crcs = new uint[Math.Min((int)LakeRing.MapBlocksMax, blocks - done)];
            for (int i = 0; i < crcs.Length; i++)
            {
                crcs[i] = Crc32C.Compute(bytes.Slice((done + i) * Block, Block));
            }

            Apply(
                new IntentMap
                {
                    Ino = ino,
                    FileBlock = fileBlock + (ulong)done,
                    PhysBlock = phys + (ulong)done,
                    Blocks = (uint)crcs.Length,
                    Flags = ExtentFlags.Crc,
                    Size = grows ? (fileBlock + (ulong)blocks) * Block : 0,
                },
                IntentOp.Map,
                MemoryMarshal.AsBytes<uint>(crcs).ToArray());
        }

        return content;
    }

    private void Resize(ulong ino, long size) => Apply(new IntentSetattr { Ino = ino, Valid = AttrMask.Size, Size = (ulong)size }, IntentOp.Setattr);

    private void Overwritten(ulong ino, ulong fileBlock, ulong blocks)
    {
        var range = new BlockRange { Start = fileBlock, Count = blocks };
        Apply(new IntentOverwrite { Ino = ino, Count = 1 }, IntentOp.Overwrite, MemoryMarshal.AsBytes(new ReadOnlySpan<BlockRange>(in range)).ToArray());
    }

    private void FlipBit(long offset)
    {
        byte[] one = new byte[1];
        _device.Read(one, offset);
        one[0] ^= 4;
        _device.Write(one, offset);
    }

    /// <summary>Records what it is asked for, and tells it when the daemon waits.</summary>
    private sealed class Kernel(LakeEngine engine) : ISealer
    {
        private readonly Queue<byte[]> _records = new();
        private ulong _mapSeq;

        public Errno ShareRefusal { get; set; }

        public int Asked { get; private set; }

        public List<ShareArgs> Shares { get; } = [];

        private ulong LastSeq => engine.AppliedSeq + (ulong)_records.Count;

        public Errno Seal(ref SealArgs args) => Ask(ref args, IntentOp.Seal);

        public Errno Checked(ref SealArgs args) => Ask(ref args, IntentOp.Checked);

        public Errno Unseal(ref SealArgs args) => Ask(ref args, IntentOp.Unseal);

        public Errno Share(ref ShareArgs args)
        {
            Asked++;
            Shares.Add(args);
            if (ShareRefusal != Errno.None)
            {
                return ShareRefusal;
            }

            if (args.SrcGeneration != 7 || args.DstGeneration != 7)
            {
                return Errno.ENOENT;
            }

            if (args.MapSeq < _mapSeq)
            {
                return Errno.EAGAIN;
            }

            Record(
                new IntentShare { SrcIno = args.SrcIno, DstIno = args.DstIno, FileBlock = args.FileBlock, Blocks = args.Blocks },
                IntentOp.Share);
            args.Seq = _mapSeq = LastSeq;
            return Errno.None;
        }

        /// <summary>A program's change, of any file: as if it were of this one.</summary>
        public void Note<T>(T intent) => _mapSeq = intent is IntentSeal ? _mapSeq : engine.AppliedSeq;

        public void Send()
        {
            while (_records.TryDequeue(out byte[]? record))
            {
                engine.Apply(record);
            }
        }

        private Errno Ask(ref SealArgs args, IntentOp op)
        {
            Asked++;
            if (args.MapSeq < _mapSeq)
            {
                return Errno.EAGAIN;
            }

            Record(new IntentSeal { Ino = args.Ino, FileBlock = args.FileBlock, Blocks = args.Blocks }, op);
            args.Seq = LastSeq;
            return Errno.None;
        }

        private void Record<T>(T intent, IntentOp op)
            where T : unmanaged => _records.Enqueue(IntentWriter.Encode(intent, op, LastSeq + 1));
    }
}
