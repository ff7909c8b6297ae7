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
public sealed class FileIngestTests() : LakeFixture(areNamed: true)
{
    private const uint RangeBlocks = 64;

    private ChecksumTable _table = null!;
    private ReadBack _readBack = null!;
    private FileIngest _ingest = null!;
    private Kernel _kernel = null!;
    private ulong _blocksRead;
    private int _damaged;
    private bool _isStopped;

    [SetUp]
    public void Open()
    {
        _kernel = new Kernel(Engine);
        _table = new ChecksumTable(Device, Engine.Superblock);
        _blocksRead = 0;
        _damaged = 0;
        _isStopped = false;
        _readBack = new ReadBack(Device, _table) { Pace = bytes => _blocksRead += (ulong)bytes / Block };
        _ingest = new FileIngest(Engine, _kernel, _readBack) { Damaged = blocks => _damaged += blocks.Count, IsStopped = () => _isStopped };
    }

    [TearDown]
    public void Close()
    {
        _readBack.Dispose();
        _table.Dispose();
        _kernel = null!;
    }

    [TestCase(0, 1)]
    [TestCase(0, 300)]
    [TestCase(3, 300)]
    [TestCase(1000, 5)]
    public void AFreshFile_IsReadOnce_AndGetsItsIdentity(int from, int blocks)
    {
        byte[] content = Write(20, (ulong)from, Data, blocks, seed: 1);
        Resize(20, content.Length - 1000);
        Run(20);
        Assert.That(Identity(20), Is.EqualTo(Blake3.Hash(content.AsSpan(0, content.Length - 1000))));
        Assert.That(_blocksRead, Is.EqualTo((ulong)blocks));
        AssertDataIsClean();
    }

    [Test]
    public void HolesAndUnwrittenBlocks_AreZeroes()
    {
        byte[] content = new byte[700 * Block];
        Write(20, 5, Data, 10, seed: 1).AsSpan(5 * Block).CopyTo(content.AsSpan(5 * Block));
        Write(20, 100, Data + 100, 80, seed: 2).AsSpan(100 * Block).CopyTo(content.AsSpan(100 * Block));
        Apply(new IntentMap { Ino = 20, FileBlock = 40, PhysBlock = Data + 300, Blocks = 20, Flags = ExtentFlags.Unwritten }, IntentOp.Map);
        Resize(20, content.Length);
        Run(20);
        Assert.That(Identity(20), Is.EqualTo(Blake3.Hash(content)));
        Assert.That(_blocksRead, Is.EqualTo(90ul));
        AssertDataIsClean();
    }

    [Test]
    public void BlocksBehindTheEnd_AreNoContent()
    {
        byte[] content = Write(20, 0, Data, 10, seed: 1);
        Resize(20, 5 * Block);
        Write(20, 70, Data + 100, 4, seed: 2, grows: false);
        Run(20);
        Assert.That(Identity(20), Is.EqualTo(Blake3.Hash(content.AsSpan(0, 5 * Block))));
    }

    [Test]
    public void AFileThatWasCheckedInPart_IsReadAgain()
    {
        byte[] content = Write(20, 0, Data, 200, seed: 1);
        Run(20);
        byte[] piece = Write(20, 50, Data + 500, 1, seed: 2);
        piece.AsSpan(50 * Block).CopyTo(content.AsSpan(50 * Block));
        _blocksRead = 0;
        Run(20);
        Assert.That(Identity(20), Is.EqualTo(Blake3.Hash(content)));
        Assert.That(_blocksRead, Is.EqualTo(201ul));
        AssertDataIsClean();
    }

    [Test]
    public void ADamagedBlock_IsNotGivenAnIdentity_WhenItIsReadAgain()
    {
        Write(20, 0, Data, 100, seed: 1);
        Run(20);
        Write(20, 3, Data + 500, 1, seed: 2);
        FlipBit((long)(Data + 80) * Block);
        Run(20);
        Assert.That(_damaged, Is.EqualTo(1));
        Assert.That(IsHeld(20), Is.False);
    }

    [Test]
    public void DataThatIsNotWhatWasWritten_IsNotGivenAnIdentity()
    {
        Write(20, 0, Data, 100, seed: 1);
        FlipBit((long)(Data + 80) * Block);
        Run(20);
        Assert.That(_damaged, Is.EqualTo(1));
        Assert.That(IsHeld(20), Is.False);
    }

    /// <summary>Whatever step it is done after.</summary>
    [Test]
    public void AFileThatChangesMeanwhile_HasNoIdentityOfWhatItWas([Range(0, 24)] int steps, [Values(0, 1, 2, 3)] int how)
    {
        byte[] content = Write(20, 0, Data, 100, seed: 1);
        _ingest.Begin(20, RangeBlocks);
        for (int i = 0; i < steps; i++)
        {
            Step();
        }

        switch (how)
        {
            case 0:
                Write(20, 70, Data + 500, 1, seed: 2).AsSpan(70 * Block).CopyTo(content.AsSpan(70 * Block));
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
                Engine.Commit();
                content[3 * Block] ^= 1;
                Device.Write(content.AsSpan(3 * Block, Block), (long)(Data + 3) * Block);
                Overwritten(20, 3, 1);
                break;
        }

        Finish();
        AssertHonest(20, content);
        Run(20);
        Run(20);
        Assert.That(Identity(20), Is.EqualTo(Blake3.Hash(content)));
        AssertDataIsClean();
    }

    [Test]
    public void EqualFiles_ShareTheBlocksOfTheFirst()
    {
        byte[] content = Write(20, 0, Data, 150, seed: 1);
        Write(21, 0, Data + 1000, 150, seed: 1);
        Write(22, 0, Data + 2000, 150, seed: 1);
        Write(23, 0, Data + 3000, 150, seed: 2);
        for (ulong ino = 20; ino < 24; ino++)
        {
            Run(ino);
            Assert.That(_ingest.Refusal, Is.EqualTo(Errno.None));
        }

        Engine.Commit();
        EngineStats stats = Engine.GetStats();
        Assert.That((stats.UsedBlocks, stats.SavedBlocks, stats.Objects), Is.EqualTo((300ul, 300ul, 4ul)));
        foreach (ulong ino in (ulong[])[20, 21, 22])
        {
            Assert.That(Lake.Extents(Engine, ino).Select(e => (e.FileBlock, e.PhysBlock)), Is.EqualTo(new[] { (0ul, Data) }));
            Assert.That(Identity(ino), Is.EqualTo(Blake3.Hash(content)));
        }

        int asked = _kernel.Asked;
        Run(21);
        Run(20);
        Assert.That(_kernel.Asked, Is.EqualTo(asked), "there is nothing to do any more");
        AssertDataIsClean();
        Assert.That(Unfinished(), Is.Empty);
    }

    [Test]
    public void SparseEqualFiles_ShareWhatIsWritten_RangeAfterRange()
    {
        foreach ((ulong ino, ulong phys) in new[] { (20ul, Data), (21ul, Data + 1000) })
        {
            Write(ino, 3, phys, 10, seed: 1);
            Write(ino, 9000, phys + 100, 10, seed: 2);
            Run(ino);
        }

        Assert.That(_kernel.Shares.Select(s => (s.DstBlock, s.Blocks)), Is.EqualTo(new[] { (3ul, 4096ul), (9000ul, 10ul) }));
        Assert.That(Engine.GetStats().UsedBlocks, Is.EqualTo(20ul));
        AssertDataIsClean();
    }

    [TestCase(Errno.EBUSY, 1)]
    [TestCase(Errno.ENOSPC, 1)]
    [TestCase(Errno.EAGAIN, 3)]
    public void ARefusedShare_IsSaid_AndFoundLater(Errno refusal, int tries)
    {
        Write(20, 0, Data, 10, seed: 1);
        Write(21, 0, Data + 1000, 10, seed: 1);
        Run(20);
        _kernel.ShareRefusal = refusal;
        Run(21);
        Assert.That(_ingest.Refusal, Is.EqualTo(refusal));
        Assert.That(_kernel.Shares, Has.Count.EqualTo(tries));
        Assert.That(Unfinished(), Is.EqualTo(new[] { 20ul }), "by the one that the other one's content is not found for");
        _kernel.ShareRefusal = Errno.None;
        Run(20);
        Assert.That(Engine.GetStats().UsedBlocks, Is.EqualTo(10ul));
        Assert.That(Lake.Extents(Engine, 21).Single().PhysBlock, Is.EqualTo(Data), "the older one's blocks stay");
        AssertDataIsClean();
    }

    [Test]
    public void AFileThatChangedBeforeItIsShared_IsLeftAlone()
    {
        Write(20, 0, Data, 10, seed: 1);
        Write(21, 0, Data + 1000, 10, seed: 1);
        Run(20);
        _ingest.Begin(21, RangeBlocks);
        while (Engine.GetStats().Objects < 2)
        {
            Step();
        }

        Write(20, 2, Data + 500, 1, seed: 2);
        Finish();
        Assert.That(_kernel.Shares, Is.Empty);
        Assert.That(Engine.GetStats().SavedBlocks, Is.Zero);
        AssertDataIsClean();
    }

    [Test]
    public void AnEmptyFile_OrOneOfHoles_GetsNone()
    {
        Run(20);
        Resize(21, 1 << 20);
        Run(21);
        Write(22, 0, Data, 1, seed: 1);
        Resize(22, 1L << 42);
        Run(22);
        Assert.That(Engine.GetStats().Objects, Is.Zero);
        Assert.That(Unfinished(), Is.Empty);
    }

    [Test]
    public void ALongHole_IsGivenUp_WhenTheIngestIsToEnd()
    {
        Write(20, 0, Data, 1, seed: 1);
        Resize(20, 900L << 20);
        _isStopped = true;
        _ingest.Begin(20, RangeBlocks);
        for (int i = 0; i < 100; i++)
        {
            Step();
        }

        Assert.That(Engine.GetStats().Objects, Is.Zero);
    }

    [Test]
    public void AFileThatIsEqualInPart_IsSearchedForPieces_Once()
    {
        using var anchors = new AnchorTable(Device, Engine.Superblock);
        using var reader = new PieceReader(Device, _table);
        _ingest = new FileIngest(Engine, _kernel, _readBack, new PieceIngest(Engine, _kernel, reader, anchors));
        Write(20, 0, Data, 150, seed: 1);
        Write(21, 0, Data + 1000, 150, seed: 1);
        Write(21, 70, Data + 2000, 1, seed: 2, grows: false);
        Write(22, 0, Data + 3000, 150, seed: 1);
        Write(23, 0, Data + 4000, 3, seed: 3);
        _kernel.ShareRefusal = Errno.EBUSY;
        Run(20);
        Assert.That(anchors.Pending, Is.GreaterThan(0));
        Run(21);
        Assert.That(_ingest.Refusal, Is.EqualTo(Errno.None));
        Assert.That(
            _kernel.Shares.Select(s => (s.SrcIno, s.DstIno, s.SrcPos / Block, s.DstBlock, s.Blocks)),
            Is.EqualTo(new[] { (20ul, 21ul, 0ul, 0ul, 70ul), (20ul, 21ul, 71ul, 71ul, 79ul) }));
        Run(21);
        Assert.That(_kernel.Shares, Has.Count.EqualTo(2));
        int pending = anchors.Pending;
        Run(22);
        Assert.That(_kernel.Shares[2].Blocks, Is.EqualTo(150ul), "a whole one is shared as a whole");
        Run(23);
        Assert.That(anchors.Pending, Is.EqualTo(pending), "equal ones, and small ones, are not listed");
        AssertDataIsClean();
    }

    [Test]
    public void AFileThatIsReadAgain_IsSearchedForPieces_Too()
    {
        using var anchors = new AnchorTable(Device, Engine.Superblock);
        using var reader = new PieceReader(Device, _table);
        _ingest = new FileIngest(Engine, _kernel, _readBack, new PieceIngest(Engine, _kernel, reader, anchors));
        Write(20, 0, Data, 150, seed: 1);
        Write(21, 0, Data + 1000, 150, seed: 1);
        Write(21, 140, Data + 2000, 1, seed: 2, grows: false);
        Seal(IntentOp.Seal, 21, 0, 50);
        var range = new RangeIngest(Engine.LookForSeal, _kernel, _readBack);
        range.Begin(21, 0, 50);
        while (range.Stage != IngestStage.Done)
        {
            range.Advance();
            _kernel.Send();
        }

        Run(20);
        Run(21);
        Assert.That(_kernel.Shares.Sum(s => (int)s.Blocks), Is.EqualTo(149));
        Assert.That(Engine.GetStats().UsedBlocks, Is.EqualTo(151ul));
        AssertDataIsClean();
    }

    private List<ulong> Unfinished()
    {
        var found = new List<ulong>();
        Assert.That(Engine.FindUnfinished(0, 1000, found), Is.EqualTo(ulong.MaxValue));
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

    private bool IsHeld(ulong ino) => Engine.LookAtContent(ino, 0)!.HasObject;

    private Blake3Hash? Identity(ulong ino) =>
        IsHeld(ino) && Engine.TreeForCheck().TryGet(new TreeKey(ino, (uint)ItemType.Object, 0), out ReadOnlySpan<byte> item)
            ? Blake3Hash.Read(item[..Blake3Hash.SizeBytes])
            : null;

    private void AssertHonest(ulong ino, byte[] content)
    {
        if (Identity(ino) is { } id)
        {
            Assert.That(id, Is.EqualTo(Blake3.Hash(content)));
        }
    }

    private void AssertDataIsClean() => Assert.That(Lake.CheckData(Engine, Device).Findings, Is.Empty);

    // The files are made before there is this kernel.
    private protected override void Apply<T>(T intent, IntentOp op, params byte[][] parts)
    {
        _kernel?.Send();
        base.Apply(intent, op, parts);
        _kernel?.Note(intent);
    }

    private void Resize(ulong ino, long size) => Apply(new IntentSetattr { Ino = ino, Valid = AttrMask.Size, Size = (ulong)size }, IntentOp.Setattr);

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
                new IntentShare { SrcIno = args.SrcIno, DstIno = args.DstIno, SrcPos = args.SrcPos, DstBlock = args.DstBlock, Blocks = args.Blocks },
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
