// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Metadata.Tables;
using DeepLake.Sim;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>REMAP, and what becomes of packed extents when maps change.</summary>
[TestFixture]
public sealed class PackedTests : PackFixture
{
    private const ulong Pack = 500; // behind the beginning of the data region

    [Test]
    public void ARemap_PutsRangesOfFilesIntoOnePack_AndFreesWhatTheyHad()
    {
        byte[] first = WriteChecked(20, 0, Data + 100, 8);
        byte[] second = WriteChecked(21, 3, Data + 200, 4);
        ulong dataSeq = Inode(20).DataSeq;
        byte[] content = [.. first[(2 * Block)..(6 * Block)], .. second[(3 * Block)..]];
        uint span = WritePack(Data + Pack, content);
        Assert.That(span, Is.EqualTo(9));
        Remap(20, Extent.InPack(2, Data + Pack, span, 0, 4));
        Assert.That(Stats(), Is.EqualTo((8ul + 4 - 4 + span, 0ul, 0ul, 12ul, 12ul)));
        Remap(21, Extent.InPack(3, Data + Pack, span, 4, 4));
        Assert.That(Stats(), Is.EqualTo((4ul + span, (ulong)span, (ulong)span, 12ul, 12ul)));
        Assert.That(Lake.Extents(Engine, 20), Is.EqualTo(new[]
        {
            (0ul, Data + 100, 2u, Checked), (2ul, Place(Data + Pack, 0), 4u, Told(span)), (6ul, Data + 106, 2u, Checked),
        }));
        Assert.That(Lake.Extents(Engine, 21), Is.EqualTo(new[] { (3ul, Place(Data + Pack, 4), 4u, Told(span)) }));
        Assert.That((ReadFile(20, 8), ReadFile(21, 7)), Is.EqualTo((first, second)));
        Assert.That((Inode(20).Blocks, Inode(20).DataSeq, Inode(21).LastSeq), Is.EqualTo((8ul, dataSeq, Engine.AppliedSeq)));
        AssertSound();
        Engine.Commit();
        Reopen();
        Assert.That((ReadFile(20, 8), ReadFile(21, 7)), Is.EqualTo((first, second)));
        AssertSound();
        Remove(20);
        Assert.That(ReadFile(21, 7), Is.EqualTo(second));
        Remove(21);
        Assert.That(Stats(), Is.EqualTo((0ul, 0ul, 0ul, 0ul, 0ul)));
        AssertSound();
    }

    [Test]
    public void ARemap_OutOfAPack_AndIntoAnotherOne()
    {
        byte[] content = WritePacked(20, Data + Pack, 6, out uint span);
        WriteBlocks(Data + 600, content.AsSpan(Block, 2 * Block));
        Remap(20, new Extent(1, Data + 600, 2, Checked, 0));
        Assert.That(Stats(), Is.EqualTo((2ul + span, (ulong)span, (ulong)span, 6ul, 6ul)), "both parts that are left refer to the pack");
        AssertSound();
        uint other = WritePack(Data + 700, content);
        Remap(20, Extent.InPack(0, Data + 700, other, 0, 6));
        Assert.That(Lake.Extents(Engine, 20), Is.EqualTo(new[] { (0ul, Place(Data + 700, 0), 6u, Told(other)) }));
        Assert.That(Stats(), Is.EqualTo(((ulong)other, 0ul, 0ul, 6ul, 6ul)));
        Assert.That(ReadFile(20, 6), Is.EqualTo(content));
        AssertSound();
    }

    [Test]
    public void ARemap_OfSkewedBlocks()
    {
        byte[] content = WriteChecked(20, 0, Data + 100, 5)[70..((4 * Block) + 70)];
        Share(20, 70, 21, 0, 4);
        uint span = WritePack(Data + Pack, content);
        Remap(21, Extent.InPack(0, Data + Pack, span, 0, 4));
        Assert.That(ReadFile(21, 4), Is.EqualTo(content));
        Assert.That(Stats(), Is.EqualTo((5ul + span, 0ul, 0ul, 9ul, 9ul)));
        AssertSound();
    }

    [Test]
    public void ImpossibleRemaps_AreFaults()
    {
        byte[] content = WriteChecked(20, 0, Data + 100, 8);
        Write(20, 10, Data + 120, 4); // not checked
        WriteChecked(20, 20, Data + 130, 2);
        uint span = WritePack(Data + Pack, content.AsSpan(0, 4 * Block));
        Extent good = Extent.InPack(0, Data + Pack, span, 0, 4);
        ulong end = Engine.Superblock.Data.StartBlock + Engine.Superblock.Data.Blocks;
        Extent[] bad =
        [
            good with { Blocks = 0 },
            good with { Blocks = 33 },
            good with { PhysBlock = good.PhysBlock + 29 }, // over the end of the pack
            good with { Flags = ExtentFlags.Packed | ExtentFlags.Sealed },
            good with { Flags = good.Flags | ExtentFlags.Crc },
            good with { Flags = good.Flags | ExtentFlags.Shared },
            good with { Flags = good.Flags | 0x00200000u }, // no span
            good with { FileBlock = 8, Blocks = 1 }, // a hole
            good with { FileBlock = 6, Blocks = 3 }, // and at the end of the range
            good with { FileBlock = 10, Blocks = 1 }, // not checked
            good with { FileBlock = ulong.MaxValue - 1, Blocks = 1 },
            Extent.InPack(0, Data + 99, 2, 0, 4), // one of two blocks is used
            Extent.InPack(0, end - 1, 2, 0, 4),
            Extent.InPack(0, Data - 1, 1, 0, 4),
            new(0, Data + 100, 4, Checked, 0), // where they are
            new(0, Data + 300, 4, Checked | (5u << ExtentFlags.SkewShift), 0),
            new(0, Data + 300, 4, ExtentFlags.Sealed, 0),
            new(0, end - 3, 4, Checked, 0),
        ];
        ulong next = Engine.AppliedSeq + 1;
        foreach (Extent moved in bad)
        {
            AssertFault(20, moved, next);
        }

        AssertFault(1, good, next);
        AssertFault(99, good, next);
        Remap(20, good);
        AssertSound();
    }

    private void AssertFault(ulong ino, Extent moved, ulong seq)
    {
        var intent = new IntentRemap { Ino = ino, FileBlock = moved.FileBlock, PhysBlock = moved.PhysBlock, Blocks = moved.Blocks, Flags = moved.Flags };
        Assert.That(() => Engine.Apply(IntentWriter.Encode(intent, IntentOp.Remap, seq)), Throws.InstanceOf<IntentFaultException>(), $"{ino}: {moved}");
    }

    /// <summary>References to the pack when the original, which has it all, is gone.</summary>
    [TestCase(0ul, 2ul, 1)]
    [TestCase(4ul, 9ul, 1)]
    [TestCase(2ul, 1ul, 2)]
    [TestCase(0ul, 6ul, 0)]
    public void APunchedPackedExtent_KeepsThePackAsLongAsAnyPartIsLeft(ulong fileBlock, ulong blocks, int references)
    {
        byte[] content = WritePacked(20, Data + Pack, 6, out uint span);
        Unmap(20, fileBlock, blocks);
        ulong gone = Math.Min(blocks, 6 - fileBlock);
        ulong shared = references > 1 ? span : 0ul;
        Assert.That(Stats(), Is.EqualTo((references > 0 ? span : 0ul, shared, shared, 6 - gone, 6 - gone)));
        content.AsSpan((int)fileBlock * Block, (int)gone * Block).Clear();
        Assert.That(ReadFile(20, 6), Is.EqualTo(content));
        AssertSound();
        Engine.Commit();
        Reopen();
        Assert.That(ReadFile(20, 6), Is.EqualTo(content));
        SetSize(20, 0);
        Assert.That(Stats(), Is.EqualTo((0ul, 0ul, 0ul, 0ul, 0ul)));
        AssertSound();
    }

    [Test]
    public void ASmallerSize_AndAWrite_CutAPackedExtent()
    {
        byte[] content = WritePacked(20, Data + Pack, 6, out uint span);
        SetSize(20, (4 * Block) - 10); // the block that the end lies in stays
        Assert.That(Lake.Extents(Engine, 20), Is.EqualTo(new[] { (0ul, Place(Data + Pack, 0), 4u, Told(span)) }));
        byte[] written = Write(20, 1, Data + 900, 1, grows: false);
        Assert.That(Lake.Extents(Engine, 20).Select(e => (e.FileBlock, e.PhysBlock, e.Blocks)), Is.EqualTo(new[]
        {
            (0ul, Place(Data + Pack, 0), 1u), (1ul, Data + 900, 1u), (2ul, Place(Data + Pack, 2), 2u),
        }));
        written.AsSpan(Block).CopyTo(content.AsSpan(Block));
        Assert.That(ReadFile(20, 4), Is.EqualTo(content[..(4 * Block)]));
        Assert.That(Stats(), Is.EqualTo((1ul + span, (ulong)span, (ulong)span, 3ul, 3ul)));
        AssertSound();
        Assert.That(() => Overwritten(20, 2, 1), Throws.InstanceOf<IntentFaultException>());
    }

    [Test]
    public void AnInsert_CutsAPackedExtent_AndACollapseDoesNotJoinIt()
    {
        byte[] content = WritePacked(20, Data + Pack, 6, out uint span);
        Shift(20, 2, 4, 3, up: true);
        Assert.That(Stats(), Is.EqualTo(((ulong)span, (ulong)span, (ulong)span, 6ul, 6ul)));
        AssertSound();
        Shift(20, 5, 4, 3, up: false);
        Assert.That(Lake.Extents(Engine, 20), Has.Length.EqualTo(2));
        Assert.That(ReadFile(20, 6), Is.EqualTo(content));
        AssertSound();
        Unmap(20, 0, 6);
        Assert.That(Stats(), Is.EqualTo((0ul, 0ul, 0ul, 0ul, 0ul)));
        AssertSound();
    }

    [Test]
    public void ClonesAndShares_OfPackedBlocks_ArePacked()
    {
        byte[] content = WritePacked(20, Data + Pack, 8, out uint span);
        Apply(new IntentClone { SrcIno = 20, SrcBlock = 2, DstIno = 21, DstBlock = 7, Blocks = 3, Size = 10 * Block }, IntentOp.Clone);
        Assert.That(Lake.Extents(Engine, 21), Is.EqualTo(new[] { (7ul, Place(Data + Pack, 2), 3u, Told(span)) }));
        WriteChecked(22, 0, Data + 300, 4);
        Share(20, 4 * Block, 22, 1, 2);
        Assert.That(Lake.Extents(Engine, 22)[1], Is.EqualTo((1ul, Place(Data + Pack, 4), 2u, Told(span))));
        Assert.That(Stats(), Is.EqualTo((2ul + span, (ulong)span, 2ul * span, 15ul, 15ul)));
        Share(22, 0, 21, 8, 2); // into the middle of one, from one
        Assert.That(ReadFile(21, 10)[(9 * Block)..], Is.EqualTo(content[(4 * Block)..(5 * Block)]));
        AssertSound();
        Remove(20);
        Remove(22);
        Assert.That(Lake.Extents(Engine, 21)[0], Is.EqualTo((7ul, Place(Data + Pack, 2), 1u, Told(span))));
        AssertSound();
        Remove(21);
        Assert.That(Stats(), Is.EqualTo((0ul, 0ul, 0ul, 0ul, 0ul)));
    }

    [Test]
    public void AShare_FromWithinAPackedBlock_IsAFault()
    {
        WritePacked(20, Data + Pack, 8, out _);
        WriteChecked(20, 8, Data + 100, 2);
        var intent = new IntentShare { SrcIno = 20, DstIno = 21, SrcPos = 100, DstBlock = 0, Blocks = 2 };
        ulong next = Engine.AppliedSeq + 1;
        Assert.That(() => Engine.Apply(IntentWriter.Encode(intent, IntentOp.Share, next)), Throws.InstanceOf<IntentFaultException>());
        intent.SrcPos = (7 * Block) + 100;
        Assert.That(() => Engine.Apply(IntentWriter.Encode(intent, IntentOp.Share, next)), Throws.InstanceOf<IntentFaultException>());
        Share(20, (8 * Block) + 100, 21, 0, 1);
    }

    [Test]
    public void SealCheckedAndUnseal_LeavePackedExtentsAsTheyAre()
    {
        WritePacked(20, Data + Pack, 6, out uint span);
        foreach (IntentOp op in new[] { IntentOp.Unseal, IntentOp.Seal, IntentOp.Checked, IntentOp.Unseal })
        {
            Seal(op, 20, 1, 3);
            Assert.That(Lake.Extents(Engine, 20), Is.EqualTo(new[] { (0ul, Place(Data + Pack, 0), 6u, Told(span)) }), $"{op}");
            AssertSound();
        }
    }

    /// <summary>It was pinned for the predecessor, which has died; the second REMAP to the pack comes again behind a commit.</summary>
    [Test]
    public void ASuccessor_GivesNobodyAPack_ThatAnIntentToComeIsGoingToUse()
    {
        byte[] content = [.. WriteChecked(20, 0, Data + 100, 4), .. WriteChecked(21, 0, Data + 200, 4)];
        Engine.Commit();
        ulong applied = Engine.AppliedSeq;
        uint span = WritePack(Data + Pack, content);
        Reopen();
        DeclaredRange pack = new() { Start = Data + Pack, Count = span, Kind = DeclaredKind.Blocks };
        Engine.Declare([pack, pack], resentUntil: applied + 3);
        Remap(20, Extent.InPack(0, Data + Pack, span, 0, 4));
        Unmap(20, 0, 4);
        Engine.Commit();
        Assert.That((IsFree(Data + Pack), IsFree(Data + 100)), Is.EqualTo((false, false)));
        Remap(21, Extent.InPack(0, Data + Pack, span, 4, 4));
        Engine.Commit();
        Assert.That((IsFree(Data + Pack), IsFree(Data + 100), IsFree(Data + 200)), Is.EqualTo((false, true, true)));
        Assert.That(ReadFile(21, 4), Is.EqualTo(content[(4 * Block)..]));
        AssertSound();
    }

    [Test]
    public void APack_IsHeld_UntilItIsReleased()
    {
        byte[] content = WriteChecked(20, 0, Data + 100, 4);
        Assert.That(Engine.TryLeasePack(5, out ulong pack));
        uint span = WritePack(pack, content);
        Assert.That(span, Is.EqualTo(5));
        Remap(20, Extent.InPack(0, pack, span, 0, 4));
        Unmap(20, 0, 4);
        Engine.Commit();
        Assert.That((IsFree(pack), IsFree(Data + 100)), Is.EqualTo((false, true)));
        Engine.ReleasePack(pack, span);
        Assert.That(IsFree(pack), Is.False);
        Engine.Commit();
        Assert.That(IsFree(pack), Is.True);
        Assert.That(Engine.GetStats() is { UsedBlocks: 0, QuarantinedBlocks: 0, LeasedBlocks: 0 });
    }
}
