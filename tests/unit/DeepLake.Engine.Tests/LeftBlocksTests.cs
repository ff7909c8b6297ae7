// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.Ingest;
using DeepLake.Platform;
using DeepLake.Sim;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>A file leaves its blocks while the ingest is at it, and somebody else writes there before they are read.</summary>
[TestFixture]
public sealed class LeftBlocksTests : LakeFixture
{
    private const ulong Ino = 20;

    public LeftBlocksTests()
        : base(areNamed: true)
    {
    }

    [TestCase(true)]
    [TestCase(false)]
    public void WhatIsReadThere_IsDamage_OnlyIfTheFileStillHasThem(bool isStillThere)
    {
        using var table = new ChecksumTable(Device, Engine.Superblock);
        using var readBack = new ReadBack(Device, table);
        SealView? now = View(Crc32C.Compute(new byte[LakeFormat.BlockSize]));
        var range = new RangeIngest((_, _, _) => now, new Kernel(), readBack);
        range.Begin(Ino, 0, 1);
        while (range.Stage != IngestStage.Read)
        {
            range.Advance();
        }

        Device.Write(Enumerable.Repeat((byte)7, LakeFormat.BlockSize).ToArray(), (long)Data * LakeFormat.BlockSize);
        now = isStillThere ? now : null;
        range.Advance();
        Assert.That(readBack.Damaged, Is.EqualTo(isStillThere ? new ulong[] { 0 } : []));
        Assert.That(range.Refusal, Is.EqualTo(isStillThere ? Errno.None : Errno.EAGAIN));
    }

    private SealView View(uint crc) => new()
    {
        Ino = Ino,
        Generation = 7,
        AppliedSeq = 9,
        UncleanSeq = 0,
        MetadataIsFull = false,
        FileBlock = 0,
        Blocks = 1,
        Pieces = [new SealPiece(0, Data, 1, ExtentFlags.Sealed | ExtentFlags.Crc, 5, [crc])],
    };

    private sealed class Kernel : ISealer
    {
        public Errno Seal(ref SealArgs args) => Errno.None;

        public Errno Checked(ref SealArgs args) => Errno.None;

        public Errno Unseal(ref SealArgs args) => Errno.None;

        public Errno Share(ref ShareArgs args) => Errno.None;
    }
}
