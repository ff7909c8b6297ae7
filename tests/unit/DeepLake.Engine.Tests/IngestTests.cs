// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Check;
using DeepLake.Engine.Ingest;
using DeepLake.Platform;
using DeepLake.Sim;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>A range on its way from mutable to checked, with a kernel that applies at once what it is asked for.</summary>
[TestFixture]
public sealed class IngestTests
{
    private const uint Checked = ExtentFlags.Sealed | ExtentFlags.Checked;
    private const int Block = LakeFormat.BlockSize;

    private MemoryBlockDevice _device = null!;
    private LakeEngine _engine = null!;
    private ChecksumTable _table = null!;
    private ReadBack _readBack = null!;
    private RangeIngest _ingest = null!;
    private Kernel _kernel = null!;
    private ulong _data;

    [SetUp]
    public void Open()
    {
        _device = new MemoryBlockDevice(128L << 20);
        Lake.Format(_device);
        Reopen();
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

    [Test]
    public void AFile_IsSealedReadBackAndChecked()
    {
        Write(20, 3, _data + 1000, 300);
        Write(20, 400, _data + 5000, 20);
        Apply(new IntentMap { Ino = 20, FileBlock = 500, PhysBlock = _data + 40, Blocks = 4, Flags = ExtentFlags.Unwritten }, IntentOp.Map);
        Run(20);
        Assert.That(_ingest.Refusal, Is.EqualTo(Errno.None));
        Assert.That(_readBack.BlocksRead, Is.EqualTo(320ul));
        Assert.That(
            Lake.Extents(_engine, 20),
            Is.EqualTo(new[]
            {
                (3ul, _data + 1000, 300u, Checked),
                (400ul, _data + 5000, 20u, Checked),
                (500ul, _data + 40, 4u, ExtentFlags.Unwritten),
            }));
        CheckReport report = Lake.CheckData(_engine, _device);
        Assert.That(report.Findings, Is.Empty);
        Assert.That(report.VerifiedBlocks, Is.EqualTo(320ul));

        Run(20);
        Assert.That(_kernel.Asked, Is.EqualTo(2), "there is nothing to do any more");
    }

    [TestCase(true)]
    [TestCase(false)]
    public void AWrongBitOfCheckedData_OrOfItsEntry_IsNamedByTheChecker(bool inData)
    {
        Write(20, 0, _data + 1020, 8);
        Run(20);
        FlipBit(inData
            ? (long)(_data + 1024) * Block
            : ((long)_engine.Superblock.Sums.StartBlock * Block) + (1024 * sizeof(uint)));
        Assert.That(
            Lake.CheckData(_engine, _device).Findings,
            Is.EqualTo(new[] { Lake.Damage(20, 4, _data + 1024) }));
    }

    [Test]
    public void DataThatIsNotWhatWasWritten_IsNoticedAndNotChecked()
    {
        Write(20, 0, _data, 10);
        FlipBit(((long)_data + 4) * Block);
        Run(20);
        Assert.That(_readBack.Damaged, Is.EqualTo(new[] { 4ul }));
        Assert.That(
            Lake.Extents(_engine, 20).Select(e => (e.FileBlock, e.Blocks, e.Flags)),
            Is.EqualTo(new[] { (0ul, 4u, Checked), (4ul, 1u, ExtentFlags.Sealed | ExtentFlags.Crc), (5ul, 5u, Checked) }));
    }

    /// <summary>The OVERWRITE that told of it went with the machine.</summary>
    [Test]
    public void AnOldChecksumAfterAnUncleanEnd_IsNoDamage()
    {
        Write(20, 0, _data, 10);
        _engine.Commit();
        FlipBit(((long)_data + 4) * Block);
        Close(_engine);
        Reopen();
        Write(21, 0, _data + 20, 4);
        FlipBit(((long)_data + 21) * Block);
        Run(20);
        Assert.That(_readBack.Damaged, Is.Empty);
        Assert.That(Lake.Extents(_engine, 20).Single().Flags, Is.EqualTo(Checked));
        Run(21);
        Assert.That(_readBack.Damaged, Is.EqualTo(new[] { 1ul }), "what was mapped after it is");
    }

    // Regression: verify --full called good blocks damaged after a power cut.
    [Test]
    public void AnOldChecksumAfterAnUncleanEnd_IsNoFindingOfTheChecker()
    {
        Write(20, 0, _data, 10);
        _engine.Commit();
        FlipBit(((long)_data + 4) * Block);
        Assert.That(Lake.CheckData(_engine, _device).FindingCount, Is.EqualTo(1));
        Close(_engine);
        using (LakeEngine unmounted = Lake.Open(_device))
        {
            Assert.That(Lake.CheckData(unmounted, _device).Findings, Is.Empty, "also before the next mount");
        }

        Reopen();
        Assert.That(Lake.CheckData(_engine, _device).Findings, Is.Empty);
        Write(21, 0, _data + 20, 4);
        FlipBit(((long)_data + 21) * Block);
        Assert.That(
            Lake.CheckData(_engine, _device).Findings,
            Is.EqualTo(new[] { Lake.Damage(21, 1, _data + 21) }));
    }

    [Test]
    public void AChecksumAfterACleanEnd_IsEvidence()
    {
        Write(20, 0, _data, 10);
        Lake.Unmount(_engine);
        FlipBit(((long)_data + 4) * Block);
        Close(_engine);
        Reopen();
        Run(20);
        Assert.That(_readBack.Damaged, Is.EqualTo(new[] { 4ul }));
    }

    /// <summary>A clone is younger than the checksums it has got.</summary>
    [Test]
    public void AnOldChecksumOfAClone_IsNoDamageEither()
    {
        Write(20, 0, _data, 10);
        _engine.Commit();
        FlipBit(((long)_data + 4) * Block);
        Close(_engine);
        Reopen();
        Apply(new IntentClone { SrcIno = 20, DstIno = 21, Blocks = 10, Size = 40960 }, IntentOp.Clone);
        Apply(new IntentUnmap { Ino = 20, Blocks = 10 }, IntentOp.Unmap);
        _engine.Commit();
        _engine.Commit();
        Run(21);
        Assert.That(_readBack.Damaged, Is.Empty);
    }

    [Test]
    public void ARangeThatIsWrittenMeanwhile_IsNotChecked()
    {
        Write(20, 0, _data, 10);
        _ingest.Begin(20, 0, 4096);
        while (_ingest.Stage != IngestStage.Check)
        {
            _ingest.Advance();
        }

        Write(20, 2, _data + 50, 1);
        Finish();
        Assert.That(_ingest.Refusal, Is.EqualTo(Errno.EAGAIN));
        Assert.That(Lake.Extents(_engine, 20).Select(e => e.Flags & ExtentFlags.Checked), Is.All.Zero);
    }

    /// <summary>Sealed blocks of another file come to where this one's were: all is sealed, and not what was read.</summary>
    [Test]
    public void OtherSealedBlocksInTheRange_AreNotTakenForThoseThatWereRead()
    {
        Write(20, 0, _data, 10);
        Write(21, 0, _data + 100, 10);
        Apply(new IntentSeal { Ino = 21, Blocks = 10 }, IntentOp.Seal);
        _ingest.Begin(20, 0, 4096);
        while (_ingest.Stage != IngestStage.Check)
        {
            _ingest.Advance();
        }

        Apply(new IntentClone { SrcIno = 21, SrcBlock = 3, DstIno = 20, DstBlock = 3, Blocks = 2 }, IntentOp.Clone);
        Finish();
        Assert.That(_ingest.Refusal, Is.EqualTo(Errno.EAGAIN));
        Assert.That(Lake.CheckData(_engine, _device).Findings, Is.Empty);
    }

    [Test]
    public void TheEntryOfASharedBlock_IsNotWrittenOver_WithoutEvidence()
    {
        Write(20, 0, _data, 4);
        Apply(new IntentClone { SrcIno = 20, DstIno = 21, Blocks = 4, Size = 16384 }, IntentOp.Clone);
        Run(20);
        Overwritten(21, 0, 4);
        FlipBit(((long)_data + 1) * Block);
        Run(21);
        Assert.That(
            Lake.Extents(_engine, 21).Select(e => (e.FileBlock, e.Blocks, e.Flags & ExtentFlags.Checked)),
            Is.EqualTo(new[] { (0ul, 1u, ExtentFlags.Checked), (1ul, 1u, 0u), (2ul, 2u, ExtentFlags.Checked) }));
        Assert.That(
            Lake.CheckData(_engine, _device).Findings,
            Is.EqualTo(new[] { Lake.Damage(20, 1, _data + 1) }));
    }

    [Test]
    public void AFileThatWasWrittenAgain_IsSaidToBe()
    {
        Write(20, 0, _data, 10);
        Run(20);
        Assert.That(_ingest.IsRewritten, Is.False);
        Write(20, 2, _data + 50, 1);
        Run(20);
        Assert.That(_ingest.IsRewritten);
    }

    [Test]
    public void TheKernelsRefusal_EndsIt()
    {
        Write(20, 0, _data, 10);
        _kernel.Refusal = Errno.EBUSY;
        Run(20);
        Assert.That(_ingest.Refusal, Is.EqualTo(Errno.EBUSY));
        Assert.That(_engine.GetStats().SealedBlocks, Is.Zero);
    }

    [Test]
    public void TheSearch_FindsWhatIsNotChecked_OrHasNoIdentity()
    {
        Write(20, 0, _data, 10);
        Write(21, 0, _data + 100, 10);
        Write(22, 0, _data + 200, 10);
        Run(21);
        Run(22);
        ContentView content = _engine.LookAtContent(21, 0)!;
        Assert.That(_engine.PutObject(21, content.DataSeq, content.Size, default));
        var found = new List<ulong>();
        ulong at = 0;
        while (at != ulong.MaxValue)
        {
            at = _engine.FindUnfinished(at, 2, found);
        }

        Assert.That(found, Is.EqualTo(new[] { 20ul, 22ul }));
    }

    [Test]
    public void Changes_AreToldOnce()
    {
        var changed = new List<ulong>();
        _engine.Changes.Take(changed);
        changed.Clear();
        Write(20, 0, _data, 10);
        Write(21, 0, _data + 100, 10);
        Run(20);
        Assert.That(_engine.Changes.Take(changed), Is.False);
        Assert.That(changed, Is.EquivalentTo(new[] { 20ul, 21ul }));
        changed.Clear();
        _engine.Changes.Take(changed);
        Assert.That(changed, Is.Empty);
    }

    private void Reopen()
    {
        _engine = Lake.Open(_device);
        Lake.Mount(_engine);
        _data = _engine.Superblock.Data.StartBlock;
        _kernel = new Kernel(this);
        _table = new ChecksumTable(_device, _engine.Superblock);
        _readBack = new ReadBack(_device, _table);
        _ingest = new RangeIngest((ino, at, blocks) => _engine.LookForSeal(ino, at, blocks), _kernel, _readBack);
    }

    private void Close(LakeEngine engine)
    {
        _readBack.Dispose();
        _table.Dispose();
        engine.Dispose();
    }

    private void Run(ulong ino)
    {
        _ingest.Begin(ino, 0, 4096);
        Finish();
    }

    private void Finish()
    {
        for (int i = 0; i < 100 && _ingest.Stage != IngestStage.Done; i++)
        {
            _ingest.Advance();
        }

        Assert.That(_ingest.Stage, Is.EqualTo(IngestStage.Done));
    }

    private void Apply<T>(T intent, IntentOp op, params byte[][] parts)
        where T : unmanaged
        => _engine.Apply(IntentWriter.Encode(intent, op, _engine.AppliedSeq + 1, parts));

    /// <summary>Random data with its checksums.</summary>
    private void Write(ulong ino, ulong fileBlock, ulong phys, int blocks)
    {
        var bytes = new byte[blocks * Block];
        new Random((int)phys).NextBytes(bytes);
        _device.Write(bytes, (long)phys * Block);
        for (int done = 0; done < blocks; done += (int)LakeRing.MapBlocksMax)
        {
            uint[] crcs = [.. Enumerable.Range(done, Math.Min((int)LakeRing.MapBlocksMax, blocks - done))
                .Select(i => Crc32C.Compute(bytes.AsSpan(i * Block, Block)))];
            Apply(
                new IntentMap
                {
                    Ino = ino,
                    FileBlock = fileBlock + (ulong)done,
                    PhysBlock = phys + (ulong)done,
                    Blocks = (uint)crcs.Length,
                    Flags = ExtentFlags.Crc,
                    Size = (fileBlock + (ulong)blocks) * Block,
                },
                IntentOp.Map,
                MemoryMarshal.AsBytes<uint>(crcs).ToArray());
        }
    }

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

    private sealed class Kernel(IngestTests test) : ISealer
    {
        public Errno Refusal { get; set; }

        public int Asked { get; private set; }

        public Errno Share(ref ShareArgs args) => Errno.EAGAIN;

        public Errno Seal(ref SealArgs args) => Ask(ref args, IntentOp.Seal);

        public Errno Checked(ref SealArgs args) => Ask(ref args, IntentOp.Checked);

        public Errno Unseal(ref SealArgs args) => Ask(ref args, IntentOp.Unseal);

        private Errno Ask(ref SealArgs args, IntentOp op)
        {
            Asked++;
            if (Refusal != Errno.None || args.Generation != 7)
            {
                return Refusal == Errno.None ? Errno.ENOENT : Refusal;
            }

            test.Apply(new IntentSeal { Ino = args.Ino, FileBlock = args.FileBlock, Blocks = args.Blocks }, op);
            args.Seq = test._engine.AppliedSeq;
            return Errno.None;
        }
    }
}
