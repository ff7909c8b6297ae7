// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Engine.Archive;
using DeepLake.Platform;
using DeepLake.Sim;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>
/// Superblocks that match their checksum, and are not what this version writes. Regression: one copy of another version
/// was taken for damage, and a repair wrote over it; features that allow reading only kept nobody from writing.
/// </summary>
[TestFixture]
public sealed class ForeignSuperblockTests
{
    private const long DeviceBytes = 96L << 20;

    private MemoryBlockDevice _device = null!;
    private ulong _lastBlock;

    [SetUp]
    public void Make()
    {
        _device = new MemoryBlockDevice(DeviceBytes);
        Lake.Format(_device);
        using LakeEngine engine = Lake.Open(_device);
        Lake.Mount(engine);
        Lake.Unmount(engine);
        _lastBlock = engine.Superblock.DeviceBlocks - 1;
    }

    [TearDown]
    public void Dispose() => _device.Dispose();

    [Test]
    public void OneCopyOfAnotherVersion_IsRefused_AndNotTakenForDamage([Values] bool isA, [Values] bool isVersion)
    {
        Change(isA ? LakeFormat.SuperblockABlock : _lastBlock, (ref Superblock s) =>
        {
            s.FormatVersion += isVersion ? 1u : 0u;
            s.Incompat = isVersion ? 0ul : 4ul;
        });
        byte[] before = All();
        LakeFormatException refusal = Assert.Throws<LakeFormatException>(() => Lake.Open(_device))!;
        Assert.That(refusal.Errno, Is.EqualTo(Errno.EPROTONOSUPPORT));
        Assert.That(refusal.Message, Does.Contain($"(superblock copy {(isA ? 'A' : 'B')}, which is whole)"));
        Assert.That(All().AsSpan().SequenceEqual(before), "nothing was changed");
    }

    [Test]
    public void FeaturesThatAllowReadingOnly_KeepEverybodyFromWriting()
    {
        ChangeBoth((ref Superblock s) => s.RoCompat = 1);
        byte[] before = All();
        using (LakeEngine engine = Lake.Open(_device))
        {
            Assert.That(Assert.Throws<LakeFormatException>(() => LakeEngine.RequireWritable(_device))!.Errno, Is.EqualTo(Errno.EROFS));
            Assert.That(Lake.Check(engine).IsClean);
        }

        Assert.That(All().AsSpan().SequenceEqual(before), "nothing was changed");
        _device.Write(new byte[LakeFormat.BlockSize], (long)LakeFormat.SuperblockABlock * LakeFormat.BlockSize);
        using var planner = new RebuildPlanner(_device);
        Assert.That(Assert.Throws<LakeFormatException>(() => planner.Plan(ArchiveSurvey.Read(_device)))!.Errno, Is.EqualTo(Errno.EROFS));
    }

    /// <summary>Regression: the advice was the command that had just been given. (This lake has no archive.)</summary>
    [Test]
    public void CopiesThatContradictThemselves_AreNoObstacleToLookingForAnArchive()
    {
        ChangeBoth((ref Superblock s) => s.Data.StartBlock = 0);
        Assert.That(Assert.Throws<LakeFormatException>(() => Lake.Open(_device))!.Errno, Is.EqualTo(Errno.EUCLEAN));
        using var planner = new RebuildPlanner(_device);
        Assert.That(Assert.Throws<LakeFormatException>(() => planner.Plan(ArchiveSurvey.Read(_device)))!.Errno, Is.EqualTo(Errno.ENODATA));
    }

    /// <summary>Regression: of a lake without superblocks only the archive tells that, and a rebuild did not look there.</summary>
    [Test]
    public void FeaturesThatAllowReadingOnly_KeepARebuildFromTheArchiveAloneFromWriting()
    {
        ChangeBoth((ref Superblock s) => s.RoCompat = 1);
        using (LakeEngine engine = Lake.Open(_device))
        {
            Lake.Mount(engine);
            // a segment is written, with the superblock of such a lake
            engine.Apply(IntentWriter.Encode(new IntentCreate { Ino = 20, Mode = 0x8180 }, IntentOp.Create, engine.AppliedSeq + 1));
            Lake.Unmount(engine);
        }

        _device.Write(new byte[LakeFormat.BlockSize], (long)LakeFormat.SuperblockABlock * LakeFormat.BlockSize);
        _device.Write(new byte[LakeFormat.BlockSize], (long)_lastBlock * LakeFormat.BlockSize);
        using var planner = new RebuildPlanner(_device);
        Assert.That(Assert.Throws<LakeFormatException>(() => planner.Plan(ArchiveSurvey.Read(_device)))!.Errno, Is.EqualTo(Errno.EROFS));
    }

    /// <summary>Regression: the newer copy was used, and the kernel used copy A.</summary>
    [Test]
    public void ACopyBOfAnotherLake_IsNotUsed()
    {
        Change(_lastBlock, (ref Superblock s) =>
        {
            s.Uuid[0] ^= 1;
            s.Generation += 3;
            s.RoCompat = 1;
        });
        Assert.That(() => LakeEngine.RequireWritable(_device), Throws.Nothing);
        using LakeEngine engine = Lake.Open(_device);
        Assert.That(LakeNotes.Of(_device), Has.Some.Contains("it is of another lake"));
    }

    /// <summary>A successor does not find it, so the mount is in the epoch that the device has; one that was never mounted has none.</summary>
    [Test]
    public void AnEngineThatOnlyReads_BeginsNoEpoch()
    {
        Lake.Format(_device);
        foreach (ulong epoch in new ulong[] { 0, 1, 2 })
        {
            byte[] before = All();
            using (LakeEngine reader = LakeEngine.Open(_device, new DeviceCommitSink(_device), Lake.Options with { OnlyReads = true }))
            {
                Lake.Mount(reader);
                Assert.That((reader.Epoch, reader.MountEpoch), Is.EqualTo((epoch, Math.Max(epoch, 1))));
            }

            Assert.That(All().AsSpan().SequenceEqual(before), "nothing was changed");
            using LakeEngine writer = Lake.Open(_device);
            Lake.Mount(writer);
            Assert.That((writer.Epoch, writer.MountEpoch), Is.EqualTo((epoch + 1, epoch + 1)));
            Lake.Unmount(writer);
        }
    }

    private delegate void Changing(ref Superblock superblock);

    private void ChangeBoth(Changing change)
    {
        Change(LakeFormat.SuperblockABlock, change);
        Change(_lastBlock, change);
    }

    private void Change(ulong block, Changing change)
    {
        byte[] bytes = new byte[LakeFormat.BlockSize];
        _device.Read(bytes, (long)block * LakeFormat.BlockSize);
        Superblock superblock = MemoryMarshal.Read<Superblock>(bytes);
        change(ref superblock);
        superblock.Crc32c = 0;
        MemoryMarshal.Write(bytes, in superblock);
        superblock.Crc32c = Crc32C.Compute(bytes);
        MemoryMarshal.Write(bytes, in superblock);
        _device.Write(bytes, (long)block * LakeFormat.BlockSize);
    }

    private byte[] All()
    {
        byte[] all = new byte[DeviceBytes];
        _device.Read(all, 0);
        return all;
    }
}
