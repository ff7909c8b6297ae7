// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Platform;
using DeepLake.Sim;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>
/// A page store driven past its end by a kernel that ignores <see cref="LakeEngine.MetadataIsFull"/>: the
/// engine refuses, and what was there stays whole and can be deleted.
/// </summary>
[TestFixture]
public sealed class FullStoreTests
{
    private const ulong FirstIno = 100;
    private readonly List<string> _names = [];
    private ulong _seq;

    [SetUp]
    public void Begin()
    {
        _names.Clear();
        _seq = 0;
    }

    [TestCase(100, 1 << 20, 6 << 20)]
    [TestCase(437, 1 << 20, 6 << 20)]
    [TestCase(437, 16 << 20, 32 << 20)]
    [TestCase(1024, 16 << 20, 32 << 20)]
    public void CreatesWithoutEnd_AreRefused_AndTheLakeOpensClean(int deviceMiB, long treeBytes, long storeBytes)
    {
        using var device = new MemoryBlockDevice((long)deviceMiB << 20);
        Lake.Format(device);
        var options = new EngineOptions { TreeCacheBytes = treeBytes, PageStoreBytes = storeBytes };
        ulong committed = CreateUntilRefused(device, options);
        TestContext.Out.WriteLine($"{_seq} creates, {committed} committed");
        using (LakeEngine again = Open(device, options))
        {
            Assert.That(again.AppliedSeq, Is.GreaterThanOrEqualTo(committed));
            AssertClean(again);
            _seq = again.AppliedSeq;
            Assert.That(again.MetadataIsFull, Is.True);
            Lake.Mount(again);
            DeleteAll(again, (int)_seq);
            Assert.That(again.MetadataIsFull, Is.False);
            AssertClean(again);
            Lake.Unmount(again);
        }

        using LakeEngine last = Open(device, options);
        Assert.That(last.WasClean, Is.True);
        AssertClean(last);
    }

    [Test]
    public void ALogWrittenWithMuchCache_IsReplayedWithLittle()
    {
        const int files = 3000;
        const int changes = 24_000;
        using var device = new MemoryBlockDevice(100L << 20);
        Lake.Format(device);
        var much = new EngineOptions { TreeCacheBytes = 16 << 20, PageStoreBytes = 32 << 20 };
        var little = new EngineOptions { TreeCacheBytes = 256 << 10, PageStoreBytes = 1 << 20 };
        using (LakeEngine engine = Open(device, much))
        {
            Lake.Mount(engine);
            for (int i = 0; i < files; i++)
            {
                Create(engine, i);
            }

            engine.Checkpoint();
            ulong checkpoints = engine.GetStats().Checkpoints;
            for (int i = 0; i < changes; i++)
            {
                ulong ino = FirstIno + (ulong)(i * 7919L % files);
                var touch = new IntentSetattr { Ino = ino, Valid = AttrMask.Uid, Uid = (uint)i };
                engine.Apply(IntentWriter.Encode(touch, IntentOp.Setattr, ++_seq));
            }

            engine.Commit();
            Assert.That(engine.GetStats().Checkpoints, Is.EqualTo(checkpoints), "all of it is in the log");
        }

        // each change evicts a changed page: more are written than the page store's region holds
        string dump;
        using (LakeEngine again = Open(device, little))
        {
            Assert.That(again.AppliedSeq, Is.EqualTo(_seq));
            AssertClean(again);
            dump = Lake.Dump(again);
        }

        // and what that recovery wrote is no worse a beginning
        using LakeEngine last = Open(device, much);
        AssertClean(last);
        Assert.That(Lake.Dump(last), Is.EqualTo(dump));
        Assert.That(last.ReplayedIntents, Is.LessThan((ulong)changes));
    }

    private static LakeEngine Open(MemoryBlockDevice device, EngineOptions options) =>
        LakeEngine.Open(device, new DeviceCommitSink(device), options);

    private ulong CreateUntilRefused(MemoryBlockDevice device, EngineOptions options)
    {
        using LakeEngine engine = Open(device, options);
        Lake.Mount(engine);
        var failure = Assert.Throws<StorageException>(() =>
        {
            for (int i = 0; i < 400_000; i++)
            {
                Create(engine, i);
            }
        });
        Assert.That(failure!.Errno, Is.EqualTo(Errno.ENOSPC));
        return engine.DurableSeq;
    }

    // long names, out of order: many pages, and none of them cold
    private void Create(LakeEngine engine, int i)
    {
        string name = $"{(uint)i * 2654435761u:x8}-{new string('n', i % 60)}";
        _names.Add(name);
        var create = new IntentCreate { Dir = 1, Ino = FirstIno + (ulong)i, Mode = 0x81a4, NameBytes = (ushort)name.Length };
        Apply(engine, IntentWriter.Encode(create, IntentOp.Create, ++_seq, IntentWriter.Name(name)));
    }

    private void DeleteAll(LakeEngine engine, int count)
    {
        for (int i = 0; i < count; i++)
        {
            ulong ino = FirstIno + (ulong)i;
            byte[] name = IntentWriter.Name(_names[i]);
            var unlink = new IntentUnlink { Dir = 1, Ino = ino, NameBytes = (ushort)name.Length };
            Apply(engine, IntentWriter.Encode(unlink, IntentOp.Unlink, ++_seq, name));
            Apply(engine, IntentWriter.Encode(new IntentRelease { Ino = ino }, IntentOp.Release, ++_seq));
        }

        engine.Commit();
    }

    // as the ring loop does: commit at half a frame, checkpoint when due
    private static void Apply(LakeEngine engine, byte[] entry)
    {
        engine.Apply(entry);
        if (engine.UncommittedBytes >= LakeFormat.WalFrameMax / 2)
        {
            engine.Commit();
            if (engine.CheckpointDue)
            {
                engine.Checkpoint();
            }
        }
    }

    private static void AssertClean(LakeEngine engine) => Assert.That(Lake.Check(engine).Findings, Is.Empty);
}
