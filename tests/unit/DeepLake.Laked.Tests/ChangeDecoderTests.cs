// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Control;
using DeepLake.Engine.Changes;
using DeepLake.Laked.Watch;
using NUnit.Framework;

namespace DeepLake.Laked.Tests;

[TestFixture]
public sealed class ChangeDecoderTests
{
    [Test]
    public void Names_AreWhatTheyAre()
    {
        byte[] odd = [0xff, (byte)'a'];
        Change link = Decode(new IntentCreate { Dir = 3, Ino = 4, Mode = 0xa1ff, NameBytes = 2, LinkBytes = 9 }, IntentOp.Create, odd, PlayedMount.Name("elsewhere"));
        Assert.That((link.Kind, link.LinkTarget.ToStringUtf8(), link.Dir), Is.EqualTo(("symlink", "elsewhere", 3ul)));
        Assert.That(link.Name.ToByteArray(), Is.EqualTo(odd));
        Change nameless = Decode(new IntentCreate { Ino = 4, Mode = 0x8180 }, IntentOp.Create);
        Assert.That((nameless.HasDir, nameless.Name.IsEmpty), Is.EqualTo((false, true)));
        Change device = Decode(new IntentCreate { Dir = 3, Ino = 4, Mode = 0x2180, Rdev = 0x103, NameBytes = 4 }, IntentOp.Create, PlayedMount.Name("null"));
        Assert.That((device.Kind, device.Rdev), Is.EqualTo(("char-device", 0x103u)));
        Change swap = Decode(
            new IntentRename { SrcDir = 3, DstDir = 5, Ino = 4, TargetIno = 6, SrcBytes = 9, DstBytes = 1, Flags = RenameFlags.Exchange },
            IntentOp.Rename, PlayedMount.Name("long name"), PlayedMount.Name("b"));
        Assert.That((swap.Name.ToStringUtf8(), swap.ToName.ToStringUtf8(), swap.ToDir, swap.OtherIno), Is.EqualTo(("long name", "b", 5ul, 6ul)));
        Assert.That(swap.Details, Is.EqualTo(new[] { "exchange" }));
        Assert.That(Decode(new IntentUnlink { Dir = 3, Ino = 4, NameBytes = 1 }, IntentOp.Unlink, "x"u8.ToArray()).Name.ToStringUtf8(), Is.EqualTo("x"));
    }

    [Test]
    public void Attributes_AreThoseTheEntryCarries()
    {
        Change times = Decode(
            new IntentSetattr { Ino = 4, Valid = AttrMask.Size | AttrMask.Mtime, Size = 0, Mode = 0x1ff, Mtime = new LakeTime { Sec = 5, Nsec = 6 } }, IntentOp.Setattr);
        Assert.That((times.HasSize, times.Size, times.HasMode, times.Atime, times.Mtime), Is.EqualTo((true, 0ul, false, (ChangeTime?)null, new ChangeTime { Sec = 5, Nsec = 6 })));
        Change set = Decode(
            new IntentXattr { Ino = 4, Action = XattrAction.Set, NameBytes = 6, ValueBytes = 3 }, IntentOp.Xattr, PlayedMount.Name("user.a"), PlayedMount.Name("abc"));
        Assert.That((set.Op, set.XattrName.ToStringUtf8(), set.XattrBytes, set.HasMode), Is.EqualTo(("setxattr", "user.a", 3ul, false)));
        Change removed = Decode(new IntentXattr { Ino = 4, Action = XattrAction.Remove, NameBytes = 6, SetMode = 1, Mode = 0x81a4 }, IntentOp.Xattr, PlayedMount.Name("user.a"));
        Assert.That((removed.Op, removed.HasXattrBytes, removed.Mode), Is.EqualTo(("removexattr", false, 0x1a4u)));
    }

    [Test]
    public void Ranges_AreInBytes()
    {
        BlockRange[] ranges = [new() { Start = 8, Count = 2 }, new() { Start = 3, Count = 1 }];
        Change overwrite = Decode(new IntentOverwrite { Ino = 4, Count = 2 }, IntentOp.Overwrite, MemoryMarshal.AsBytes<BlockRange>(ranges).ToArray());
        Assert.That((overwrite.Op, overwrite.FirstByte, overwrite.EndByte, overwrite.HasSize), Is.EqualTo(("write", 3ul * 4096, 10ul * 4096, false)));
        Change allocated = Decode(new IntentMap { Ino = 4, FileBlock = 1, Blocks = 2, Flags = ExtentFlags.Unwritten }, IntentOp.Map);
        Assert.That((allocated.Op, allocated.FirstByte, allocated.EndByte), Is.EqualTo(("allocate", 4096ul, 12288ul)));
        Assert.That(Decode(new IntentUnmap { Ino = 4, Blocks = 1 }, IntentOp.Unmap).Op, Is.EqualTo("punch"));
        Change clone = Decode(new IntentClone { SrcIno = 4, DstIno = 5, SrcBlock = 9, DstBlock = 1, Blocks = 1, Size = 8000 }, IntentOp.Clone);
        Assert.That((clone.Ino, clone.OtherIno, clone.FirstByte, clone.Size), Is.EqualTo((5ul, 4ul, 4096ul, 8000ul)));
        Change shift = Decode(new IntentShift { Ino = 5, FileBlock = 4, Blocks = 2, Distance = 3, Flags = LakeRing.ShiftUp }, IntentOp.Shift);
        Assert.That(shift.Details, Is.EqualTo(new[] { "up 12288" }));
    }

    [Test]
    public void OfTheDaemonsOwn_EachIsKnown_AndWhatIsNotIsShown()
    {
        foreach (IntentOp op in Enum.GetValues<IntentOp>().Where(ChangeDecoder.IsBackground))
        {
            Assert.That(Decode(new IntentSeal { Ino = 4 }, op).Op, Is.Not.Empty, op.ToString());
        }

        Assert.That(ChangeDecoder.IsBackground((IntentOp)50), Is.False);
        Assert.That(Decode(new IntentRelease { Ino = 4 }, (IntentOp)50).Op, Is.EqualTo("op-50"));
        Assert.That(ChangeDecoder.Decode(PlayedMount.Encode(default(IntentHeader), IntentOp.Rename, 1)).Name.IsEmpty, Is.True, "too short");
    }

    [Test]
    public void Cursors_AreShort_AndComeBackAsTheyWere()
    {
        var lake = default(Superblock);
        LogPlace[] places =
        [
            default, new(1, 0, 0, 0, 0), new(70_000, 3, 12_345_678, 9, 0xdeadbeef),
            new(ulong.MaxValue, uint.MaxValue, ulong.MaxValue, ulong.MaxValue, uint.MaxValue),
        ];
        foreach (LogPlace place in places)
        {
            string text = ChangeCursor.Format(lake, place);
            Assert.That(ChangeCursor.Parse(text, lake, out LogPlace back), Is.EqualTo(CursorStatus.Good));
            Assert.That(back, Is.EqualTo(place));
            Assert.That(text, Does.Match("^[A-Za-z0-9_-]+$").And.Not.StartWith("-"));
            for (int i = 0; i < text.Length; i++)
            {
                string wrong = text[..i] + (text[i] == 'B' ? 'C' : 'B') + text[(i + 1)..];
                Assert.That(ChangeCursor.Parse(wrong, lake, out LogPlace other) != CursorStatus.Good || other == place, wrong);
            }
        }

        Assert.That(ChangeCursor.Format(lake, places[2]), Has.Length.LessThan(36));
    }

    private static Change Decode<T>(T intent, IntentOp op, params byte[][] parts)
        where T : unmanaged =>
        ChangeDecoder.Decode(PlayedMount.Encode(intent, op, 1, parts));
}
