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
public sealed class IngestTests() : LakeFixture(areNamed: true)
{
    private const uint Checked = ExtentFlags.Sealed | ExtentFlags.Checked;

    private ChecksumTable _table = null!;
    private ReadBack _readBack = null!;
    private RangeIngest _ingest = null!;
    private Kernel _kernel = null!;

    [SetUp]
    public void Open() => Prepare();

    [TearDown]
    public void Close()
    {
        _readBack.Dispose();
        _table.Dispose();
    }

    [Test]
    public void AFile_IsSealedReadBackAndChecked()
    {
        Write(20, 3, Data + 1000, 300);
        Write(20, 400, Data + 5000, 20);
        Apply(new IntentMap { Ino = 20, FileBlock = 500, PhysBlock = Data + 40, Blocks = 4, Flags = ExtentFlags.Unwritten }, IntentOp.Map);
        Run(20);
        Assert.That(_ingest.Refusal, Is.EqualTo(Errno.None));
        Assert.That(_readBack.BlocksRead, Is.EqualTo(320ul));
        Assert.That(
            Lake.Extents(Engine, 20),
            Is.EqualTo(new[]
            {
                (3ul, Data + 1000, 300u, Checked),
                (400ul, Data + 5000, 20u, Checked),
                (500ul, Data + 40, 4u, ExtentFlags.Unwritten),
            }));
        CheckReport report = Lake.CheckData(Engine, Device);
        Assert.That(report.Findings, Is.Empty);
        Assert.That(report.VerifiedBlocks, Is.EqualTo(320ul));

        Run(20);
        Assert.That(_kernel.Asked, Is.EqualTo(2), "there is nothing to do any more");
    }

    [TestCase(true)]
    [TestCase(false)]
    public void AWrongBitOfCheckedData_OrOfItsEntry_IsNamedByTheChecker(bool inData)
    {
        Write(20, 0, Data + 1020, 8);
        Run(20);
        FlipBit(inData
            ? (long)(Data + 1024) * Block
            : ((long)Engine.Superblock.Sums.StartBlock * Block) + (1024 * sizeof(uint)));
        Assert.That(
            Lake.CheckData(Engine, Device).Findings,
            Is.EqualTo(new[] { Lake.Damage(20, 4, Data + 1024) }));
    }

    [Test]
    public void DataThatIsNotWhatWasWritten_IsNoticedAndNotChecked()
    {
        Write(20, 0, Data, 10);
        FlipBit(((long)Data + 4) * Block);
        Run(20);
        Assert.That(_readBack.Damaged, Is.EqualTo(new[] { 4ul }));
        Assert.That(
            Lake.Extents(Engine, 20).Select(e => (e.FileBlock, e.Blocks, e.Flags)),
            Is.EqualTo(new[] { (0ul, 4u, Checked), (4ul, 1u, ExtentFlags.Sealed | ExtentFlags.Crc), (5ul, 5u, Checked) }));
    }

    /// <summary>The OVERWRITE that told of it went with the machine.</summary>
    [Test]
    public void AnOldChecksumAfterAnUncleanEnd_IsNoDamage()
    {
        Write(20, 0, Data, 10);
        Engine.Commit();
        FlipBit(((long)Data + 4) * Block);
        Reopen();
        Write(21, 0, Data + 20, 4);
        FlipBit(((long)Data + 21) * Block);
        Run(20);
        Assert.That(_readBack.Damaged, Is.Empty);
        Assert.That(Lake.Extents(Engine, 20).Single().Flags, Is.EqualTo(Checked));
        Run(21);
        Assert.That(_readBack.Damaged, Is.EqualTo(new[] { 1ul }), "what was mapped after it is");
    }

    // Regression: verify --full called good blocks damaged after a power cut.
    [Test]
    public void AnOldChecksumAfterAnUncleanEnd_IsNoFindingOfTheChecker()
    {
        Write(20, 0, Data, 10);
        Engine.Commit();
        FlipBit(((long)Data + 4) * Block);
        Assert.That(Lake.CheckData(Engine, Device).FindingCount, Is.EqualTo(1));
        End();
        using (LakeEngine unmounted = Lake.Open(Device))
        {
            Assert.That(Lake.CheckData(unmounted, Device).Findings, Is.Empty, "also before the next mount");
        }

        Begin();
        Assert.That(Lake.CheckData(Engine, Device).Findings, Is.Empty);
        Write(21, 0, Data + 20, 4);
        FlipBit(((long)Data + 21) * Block);
        Assert.That(
            Lake.CheckData(Engine, Device).Findings,
            Is.EqualTo(new[] { Lake.Damage(21, 1, Data + 21) }));
    }

    [Test]
    public void AChecksumAfterACleanEnd_IsEvidence()
    {
        Write(20, 0, Data, 10);
        Lake.Unmount(Engine);
        FlipBit(((long)Data + 4) * Block);
        Reopen();
        Run(20);
        Assert.That(_readBack.Damaged, Is.EqualTo(new[] { 4ul }));
    }

    /// <summary>A clone is younger than the checksums it has got.</summary>
    [Test]
    public void AnOldChecksumOfAClone_IsNoDamageEither()
    {
        Write(20, 0, Data, 10);
        Engine.Commit();
        FlipBit(((long)Data + 4) * Block);
        Reopen();
        Apply(new IntentClone { SrcIno = 20, DstIno = 21, Blocks = 10, Size = 40960 }, IntentOp.Clone);
        Apply(new IntentUnmap { Ino = 20, Blocks = 10 }, IntentOp.Unmap);
        Engine.Commit();
        Engine.Commit();
        Run(21);
        Assert.That(_readBack.Damaged, Is.Empty);
    }

    [Test]
    public void ARangeThatIsWrittenMeanwhile_IsNotChecked()
    {
        Write(20, 0, Data, 10);
        _ingest.Begin(20, 0, 4096);
        while (_ingest.Stage != IngestStage.Check)
        {
            _ingest.Advance();
        }

        Write(20, 2, Data + 50, 1);
        Finish();
        Assert.That(_ingest.Refusal, Is.EqualTo(Errno.EAGAIN));
        Assert.That(Lake.Extents(Engine, 20).Select(e => e.Flags & ExtentFlags.Checked), Is.All.Zero);
    }

    /// <summary>Sealed blocks of another file come to where this one's were: all is sealed, and not what was read.</summary>
    [Test]
    public void OtherSealedBlocksInTheRange_AreNotTakenForThoseThatWereRead()
    {
        Write(20, 0, Data, 10);
        Write(21, 0, Data + 100, 10);
        Apply(new IntentSeal { Ino = 21, Blocks = 10 }, IntentOp.Seal);
        _ingest.Begin(20, 0, 4096);
        while (_ingest.Stage != IngestStage.Check)
        {
            _ingest.Advance();
        }

        Apply(new IntentClone { SrcIno = 21, SrcBlock = 3, DstIno = 20, DstBlock = 3, Blocks = 2 }, IntentOp.Clone);
        Finish();
        Assert.That(_ingest.Refusal, Is.EqualTo(Errno.EAGAIN));
        Assert.That(Lake.CheckData(Engine, Device).Findings, Is.Empty);
    }

    [Test]
    public void TheEntryOfASharedBlock_IsNotWrittenOver_WithoutEvidence()
    {
        Write(20, 0, Data, 4);
        Apply(new IntentClone { SrcIno = 20, DstIno = 21, Blocks = 4, Size = 16384 }, IntentOp.Clone);
        Run(20);
        Overwritten(21, 0, 4);
        FlipBit(((long)Data + 1) * Block);
        Run(21);
        Assert.That(
            Lake.Extents(Engine, 21).Select(e => (e.FileBlock, e.Blocks, e.Flags & ExtentFlags.Checked)),
            Is.EqualTo(new[] { (0ul, 1u, ExtentFlags.Checked), (1ul, 1u, 0u), (2ul, 2u, ExtentFlags.Checked) }));
        Assert.That(
            Lake.CheckData(Engine, Device).Findings,
            Is.EqualTo(new[] { Lake.Damage(20, 1, Data + 1) }));
    }

    [Test]
    public void AFileThatWasWrittenAgain_IsSaidToBe()
    {
        Write(20, 0, Data, 10);
        Run(20);
        Assert.That(_ingest.IsRewritten, Is.False);
        Write(20, 2, Data + 50, 1);
        Run(20);
        Assert.That(_ingest.IsRewritten);
    }

    [Test]
    public void TheKernelsRefusal_EndsIt()
    {
        Write(20, 0, Data, 10);
        _kernel.Refusal = Errno.EBUSY;
        Run(20);
        Assert.That(_ingest.Refusal, Is.EqualTo(Errno.EBUSY));
        Assert.That(Engine.GetStats().SealedBlocks, Is.Zero);
    }

    [Test]
    public void TheSearch_FindsWhatIsNotChecked_OrHasNoIdentity()
    {
        Write(20, 0, Data, 10);
        Write(21, 0, Data + 100, 10);
        Write(22, 0, Data + 200, 10);
        Run(21);
        Run(22);
        ContentView content = Engine.LookAtContent(21, 0)!;
        Assert.That(Engine.PutObject(21, content.DataSeq, content.Size, default));
        var found = new List<ulong>();
        ulong at = 0;
        while (at != ulong.MaxValue)
        {
            at = Engine.FindUnfinished(at, 2, found);
        }

        Assert.That(found, Is.EqualTo(new[] { 20ul, 22ul }));
    }

    [Test]
    public void Changes_AreToldOnce()
    {
        var changed = new List<ulong>();
        Engine.Changes.Take(changed);
        changed.Clear();
        Write(20, 0, Data, 10);
        Write(21, 0, Data + 100, 10);
        Run(20);
        Assert.That(Engine.Changes.Take(changed), Is.False);
        Assert.That(changed, Is.EquivalentTo(new[] { 20ul, 21ul }));
        changed.Clear();
        Engine.Changes.Take(changed);
        Assert.That(changed, Is.Empty);
    }

    // What was not unmounted before has ended uncleanly.
    private void Reopen()
    {
        End();
        Begin();
    }

    private void End()
    {
        Close();
        Engine.Dispose();
    }

    private void Begin()
    {
        Engine = Lake.Open(Device);
        Lake.Mount(Engine);
        Prepare();
    }

    private void Prepare()
    {
        _kernel = new Kernel(this);
        _table = new ChecksumTable(Device, Engine.Superblock);
        _readBack = new ReadBack(Device, _table);
        _ingest = new RangeIngest((ino, at, blocks) => Engine.LookForSeal(ino, at, blocks), _kernel, _readBack);
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
            args.Seq = test.Engine.AppliedSeq;
            return Errno.None;
        }
    }
}
