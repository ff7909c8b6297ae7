// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Sim;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>SHARE of any bytes, and what becomes of skewed extents when maps change.</summary>
[TestFixture]
public sealed class SkewTests : SkewFixture
{
    [Test]
    public void AShareWithinABlock_MakesASkewedExtent_OfTheSameBytes()
    {
        byte[] source = WriteChecked(20, 0, Data + 100, 10);
        WriteChecked(21, 0, Data + 200, 6);
        ulong dataSeq = Inode(21).DataSeq;
        Share(20, (2 * Block) + 100, 21, 1, 4);
        Assert.That(Lake.Extents(Engine, 21), Is.EqualTo(new[]
        {
            (0ul, Data + 200, 1u, Checked), (1ul, Data + 102, 4u, Told(100)), (5ul, Data + 205, 1u, Checked),
        }));
        Assert.That(Read(21, 6)[Block..(5 * Block)], Is.EqualTo(source[((2 * Block) + 100)..((6 * Block) + 100)]));
        Assert.That(Lake.Extents(Engine, 20).Select(e => (e.FileBlock, e.Blocks, e.Flags)), Is.EqualTo(new[]
        {
            (0ul, 2u, Checked), (2ul, 5u, Checked | ExtentFlags.Shared), (7ul, 3u, Checked),
        }));
        Assert.That(Stats(), Is.EqualTo((12ul, 5ul, 5ul, 16ul, 16ul)));
        Assert.That((Inode(21).Blocks, Inode(21).DataSeq), Is.EqualTo((6ul, dataSeq)));
        Assert.That((Inode(20).LastSeq, Inode(21).LastSeq), Is.EqualTo((Engine.AppliedSeq, Engine.AppliedSeq)));
        AssertSound();
    }

    [Test]
    public void AMovedShare_MapsTheSameBlocksElsewhere_WithoutHoles()
    {
        byte[] source = WriteChecked(20, 0, Data + 100, 4);
        WriteChecked(20, 6, Data + 106, 2);
        Apply(new IntentMap { Ino = 20, FileBlock = 8, PhysBlock = Data + 300, Blocks = 1, Flags = ExtentFlags.Unwritten }, IntentOp.Map);
        WriteChecked(21, 9, Data + 200, 4);
        Share(20, 2 * Block, 21, 10, 8);
        Assert.That(Lake.Extents(Engine, 21), Is.EqualTo(new[]
        {
            (9ul, Data + 200, 1u, Checked), (10ul, Data + 102, 2u, Checked | ExtentFlags.Shared), (14ul, Data + 106, 2u, Checked | ExtentFlags.Shared),
        }));
        Assert.That(Read(21, 16)[(10 * Block)..(12 * Block)], Is.EqualTo(source[(2 * Block)..]));
        Assert.That((Inode(21).Blocks, Stats()), Is.EqualTo((5ul, (8ul, 4ul, 4ul, 11ul, 11ul))));
        AssertSound();
    }

    [Test]
    public void SharesOfSkewedExtents_AddTheirSkews_AndMayEndUnskewed()
    {
        byte[] source = WriteChecked(20, 0, Data + 100, 10);
        Share(20, 1000, 21, 0, 8);
        Share(21, 2000, 22, 0, 6);
        Share(22, Block - 2000, 23, 0, 4); // skewed by 3000, so 1000 behind
        Share(21, (3 * Block) - 1000, 23, 10, 3);
        Share(21, 2 * Block, 23, 20, 3);
        Assert.That(Lake.Extents(Engine, 22), Is.EqualTo(new[] { (0ul, Data + 100, 6u, Told(3000)) }));
        Assert.That(Lake.Extents(Engine, 23), Is.EqualTo(new[]
        {
            (0ul, Data + 101, 4u, Told(1000)), (10ul, Data + 103, 3u, Checked | ExtentFlags.Shared), (20ul, Data + 102, 3u, Told(1000)),
        }));
        byte[] read = Read(23, 23);
        Assert.That(read[..(4 * Block)], Is.EqualTo(source[(Block + 1000)..((5 * Block) + 1000)]));
        Assert.That(read[(10 * Block)..(13 * Block)], Is.EqualTo(source[(3 * Block)..(6 * Block)]));
        Assert.That(read[(20 * Block)..], Is.EqualTo(source[((2 * Block) + 1000)..((5 * Block) + 1000)]));
        AssertSound();
        foreach (ulong ino in new ulong[] { 20, 22, 21 })
        {
            Remove(ino);
            AssertSound();
        }

        Assert.That(Read(23, 23), Is.EqualTo(read), "whose blocks they were first does not matter");
        Remove(23);
        Assert.That(Stats(), Is.EqualTo((0ul, 0ul, 0ul, 0ul, 0ul)));
        AssertSound();
    }

    /// <summary>How many extents have a block of the device: 21 alone those that 20 has not any more.</summary>
    [TestCase(0ul, 2ul, new ulong[] { 2, 3, 4, 5, 6 })]
    [TestCase(4ul, 9ul, new ulong[] { 0, 1, 2, 3, 4 })]
    [TestCase(2ul, 1ul, new ulong[] { 0, 1, 2, 3, 4, 5, 6 })]
    [TestCase(1ul, 4ul, new ulong[] { 0, 1, 5, 6 })]
    [TestCase(0ul, 6ul, new ulong[0])]
    public void APunchedSkewedExtent_KeepsWhatItsPartsReferTo(ulong fileBlock, ulong blocks, ulong[] left)
    {
        byte[] content = WriteChecked(20, 0, Data + 100, 7)[100..((6 * Block) + 100)];
        Share(20, 100, 21, 0, 6);
        Remove(20);
        Assert.That(Stats(), Is.EqualTo((7ul, 0ul, 0ul, 6ul, 6ul)));
        Unmap(21, fileBlock, blocks);
        ulong gone = Math.Min(blocks, 6 - fileBlock);
        Assert.That(Stats(), Is.EqualTo(((ulong)left.Length, 0ul, 0ul, 6 - gone, 6 - gone)));
        content.AsSpan((int)fileBlock * Block, (int)gone * Block).Clear();
        Assert.That(Read(21, 6), Is.EqualTo(content));
        AssertSound();
        Engine.Commit();
        Reopen();
        Assert.That(Read(21, 6), Is.EqualTo(content));
        SetSize(21, 6 * Block);
        SetSize(21, 0);
        Assert.That(Stats(), Is.EqualTo((0ul, 0ul, 0ul, 0ul, 0ul)));
        AssertSound();
    }

    [Test]
    public void ASkewedExtentOfOneBlock_HasTwo()
    {
        WriteChecked(20, 0, Data + 100, 2);
        Share(20, 4095, 21, 5, 1);
        Assert.That(Lake.Extents(Engine, 21), Is.EqualTo(new[] { (5ul, Data + 100, 1u, Told(4095)) }));
        Remove(20);
        Assert.That(Stats(), Is.EqualTo((2ul, 0ul, 0ul, 1ul, 1ul)));
        Unmap(21, 5, 1);
        Assert.That(Stats(), Is.EqualTo((0ul, 0ul, 0ul, 0ul, 0ul)));
        AssertSound();
    }

    [Test]
    public void AnInsert_CutsASkewedExtent_WithAReferenceMore_AndACollapseDoesNotJoinIt()
    {
        byte[] content = WriteChecked(20, 0, Data + 100, 7)[50..((6 * Block) + 50)];
        Share(20, 50, 21, 0, 6);
        Remove(20);
        Shift(21, 2, 4, 3, up: true);
        Assert.That(Lake.Extents(Engine, 21), Is.EqualTo(new[] { (0ul, Data + 100, 2u, Told(50)), (5ul, Data + 102, 4u, Told(50)) }));
        Assert.That(Stats(), Is.EqualTo((7ul, 1ul, 1ul, 6ul, 6ul)));
        AssertSound();
        Shift(21, 5, 4, 3, up: false);
        Assert.That(Lake.Extents(Engine, 21), Has.Length.EqualTo(2));
        Assert.That(Read(21, 6), Is.EqualTo(content));
        AssertSound();
        Unmap(21, 2, 1);
        Shift(21, 3, 3, 1, up: false);
        Assert.That(Stats(), Is.EqualTo((7ul, 0ul, 0ul, 5ul, 5ul)));
        Assert.That(Read(21, 5), Is.EqualTo(content[..(2 * Block)].Concat(content[(3 * Block)..])));
        AssertSound();
        Unmap(21, 0, 5);
        Assert.That(Stats(), Is.EqualTo((0ul, 0ul, 0ul, 0ul, 0ul)));
        AssertSound();
    }

    [Test]
    public void AClone_OfPartsOfSkewedExtents_IsSkewed()
    {
        byte[] source = WriteChecked(20, 0, Data + 100, 9);
        Share(20, 10, 21, 0, 8);
        Apply(new IntentClone { SrcIno = 21, SrcBlock = 2, DstIno = 22, DstBlock = 7, Blocks = 3, Size = 10 * Block }, IntentOp.Clone);
        Apply(new IntentClone { SrcIno = 21, SrcBlock = 1, DstIno = 21, DstBlock = 5, Blocks = 2 }, IntentOp.Clone);
        Assert.That(Lake.Extents(Engine, 22), Is.EqualTo(new[] { (7ul, Data + 102, 3u, Told(10)) }));
        Assert.That(Lake.Extents(Engine, 21), Is.EqualTo(new[]
        {
            (0ul, Data + 100, 5u, Told(10)), (5ul, Data + 101, 2u, Told(10)), (7ul, Data + 107, 1u, Told(10)),
        }));
        AssertSound();
        Remove(20);
        Remove(21);
        Assert.That(Stats(), Is.EqualTo((4ul, 0ul, 0ul, 3ul, 3ul)));
        Assert.That(Read(22, 10)[(7 * Block)..], Is.EqualTo(source[((2 * Block) + 10)..((5 * Block) + 10)]));
        AssertSound();
        WriteChecked(22, 8, Data + 400, 1); // in the middle
        Assert.That(Stats(), Is.EqualTo((5ul, 0ul, 0ul, 3ul, 3ul)));
        AssertSound();
    }

    [Test]
    public void SealCheckedAndUnseal_LeaveSkewedExtentsAsTheyAre()
    {
        WriteChecked(20, 0, Data + 100, 7);
        WriteChecked(21, 6, Data + 200, 2);
        Share(20, 50, 21, 0, 6);
        foreach (IntentOp op in new[] { IntentOp.Unseal, IntentOp.Seal, IntentOp.Checked, IntentOp.Unseal })
        {
            Seal(op, 21, 1, 3);
            Seal(op, 21, 5, 2);
            Assert.That(Lake.Extents(Engine, 21)[0], Is.EqualTo((0ul, Data + 100, 6u, Told(50))), $"{op}");
            AssertSound();
        }

        Assert.That(Stats(), Is.EqualTo((9ul, 7ul, 7ul, 14ul, 14ul)));
    }

    /// <summary>What the kernel has as one extent need not be one here.</summary>
    [Test]
    public void SourcesThatContinueEachOther_AreLikeOne()
    {
        byte[] source = WriteChecked(20, 0, Data + 100, 4);
        Apply(new IntentClone { SrcIno = 20, SrcBlock = 2, DstIno = 22, DstBlock = 2, Blocks = 2, Size = 4 * Block }, IntentOp.Clone);
        Apply(new IntentClone { SrcIno = 20, DstIno = 22, Blocks = 2 }, IntentOp.Clone);
        Share(22, 500, 21, 0, 3);
        Assert.That(Lake.Extents(Engine, 21), Is.EqualTo(new[] { (0ul, Data + 100, 3u, Told(500)) }));
        Assert.That(Read(21, 3), Is.EqualTo(source[500..((3 * Block) + 500)]));
        AssertSound();
    }

    [Test]
    public void ImpossibleShares_AreFaults()
    {
        WriteChecked(20, 0, Data + 100, 8);
        WriteChecked(20, 8, Data + 200, 4); // elsewhere on the device
        WriteChecked(20, 13, Data + 300, 1);
        Write(21, 4, Data + 400, 2); // not checked
        WriteChecked(22, 0, Data + 500, 4);
        Write(22, 4, Data + 504, 2);
        Seal(IntentOp.Seal, 22, 4, 2);
        Apply(new IntentMap { Ino = 23, FileBlock = 0, PhysBlock = Data + 600, Blocks = 4, Flags = ExtentFlags.Unwritten }, IntentOp.Map);
        ulong next = Engine.AppliedSeq + 1;
        IntentShare[] bad =
        [
            new() { SrcIno = 20, DstIno = 20, SrcPos = 100, DstBlock = 20, Blocks = 1 },
            new() { SrcIno = 20, DstIno = 99, SrcPos = 100, Blocks = 1 },
            new() { SrcIno = 99, DstIno = 20, SrcPos = 100, Blocks = 1 },
            new() { SrcIno = 20, DstIno = 1, SrcPos = 100, Blocks = 1 },
            new() { SrcIno = 1, DstIno = 20, SrcPos = 100, Blocks = 1 },
            new() { SrcIno = 20, DstIno = 21, SrcPos = 100 },
            new() { SrcIno = 20, DstIno = 21, SrcPos = 100, Blocks = LakeRing.CloneBlocksMax + 1 },
            new() { SrcIno = 20, DstIno = 21, SrcPos = 100, DstBlock = ulong.MaxValue, Blocks = 1 },
            new() { SrcIno = 20, DstIno = 21, SrcPos = ulong.MaxValue - 100, Blocks = 1 },
            new() { SrcIno = 20, DstIno = 21, SrcPos = 0, DstBlock = 5, Blocks = 1 }, // the target is not checked
            new() { SrcIno = 20, DstIno = 21, SrcPos = 100, DstBlock = 2, Blocks = 3 },
            new() { SrcIno = 21, DstIno = 23, SrcPos = 4 * Block, Blocks = 1 }, // the source is not
            new() { SrcIno = 21, DstIno = 23, SrcPos = (4 * Block) + 7, Blocks = 1 },
            new() { SrcIno = 22, DstIno = 23, SrcPos = (3 * Block) + 7, Blocks = 1 }, // sealed only, the last byte's block
            new() { SrcIno = 20, DstIno = 21, SrcPos = 100, DstBlock = 10, Blocks = 8 }, // over the end of an extent
            new() { SrcIno = 20, DstIno = 21, SrcPos = (11 * Block) + 1, DstBlock = 10, Blocks = 1 }, // a hole at its end
            new() { SrcIno = 20, DstIno = 21, SrcPos = (12 * Block) + 1, DstBlock = 10, Blocks = 1 }, // and at its beginning
            new() { SrcIno = 20, DstIno = 21, SrcPos = (13 * Block) + 1, DstBlock = 10, Blocks = 1 }, // nothing behind it
            new() { SrcIno = 23, DstIno = 20, SrcPos = 9, DstBlock = 30, Blocks = 1 }, // unwritten
        ];
        foreach (IntentShare intent in bad)
        {
            Assert.That(
                () => Engine.Apply(IntentWriter.Encode(intent, IntentOp.Share, next)), Throws.InstanceOf<IntentFaultException>(),
                $"{intent.SrcIno}:{intent.SrcPos} to {intent.DstIno}:{intent.DstBlock}+{intent.Blocks}");
        }

        Share(20, 100, 21, 10, 7);
    }

    [Test]
    public void SkewedExtents_AreNotWrittenInPlace()
    {
        WriteChecked(20, 0, Data + 100, 4);
        Share(20, 100, 21, 0, 3);
        Seal(IntentOp.Unseal, 21, 0, 3);
        Assert.That(() => Overwritten(21, 1, 1), Throws.InstanceOf<IntentFaultException>());
    }

    /// <summary>The last owner of a block is told so only when the loss of the other one is durable.</summary>
    [Test]
    public void ABlockThatASkewedExtentLeft_StaysShared_UntilThatIsDurable()
    {
        WriteChecked(20, 0, Data + 100, 4);
        Share(20, 100, 21, 0, 3);
        Engine.Commit();
        Unmap(21, 2, 1);
        Assert.That(Lake.Extents(Engine, 20).Select(e => e.Flags), Is.All.EqualTo(Checked | ExtentFlags.Shared));
        Engine.Commit();
        Assert.That(Lake.Extents(Engine, 20).Select(e => (e.FileBlock, e.Blocks, e.Flags)), Is.EqualTo(new[]
        {
            (0ul, 3u, Checked | ExtentFlags.Shared), (3ul, 1u, Checked),
        }));
    }

    private void Shift(ulong ino, ulong fileBlock, ulong blocks, ulong distance, bool up) => Apply(
        new IntentShift { Ino = ino, FileBlock = fileBlock, Blocks = blocks, Distance = distance, Flags = up ? LakeRing.ShiftUp : 0 },
        IntentOp.Shift);
}
