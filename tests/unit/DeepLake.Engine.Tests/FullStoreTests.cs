// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Platform;
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
                // long names, out of order: many pages, and none of them cold
                string name = $"{(uint)i * 2654435761u:x8}-{new string('n', i % 60)}";
                _names.Add(name);
                var create = new IntentCreate { Dir = 1, Ino = FirstIno + (ulong)i, Mode = 0x81a4, NameBytes = (ushort)name.Length };
                Apply(engine, IntentWriter.Encode(create, IntentOp.Create, ++_seq, IntentWriter.Name(name)));
            }
        });
        Assert.That(failure!.Errno, Is.EqualTo(Errno.ENOSPC));
        return engine.DurableSeq;
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
