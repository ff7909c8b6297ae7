// SPDX-License-Identifier: MPL-2.0
using DeepLake.Sim;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>Held checkpoints, which are read beside a running engine, and checkpoints made in slices.</summary>
[TestFixture]
public sealed class SnapshotTests
{
    private const long DeviceBytes = 128L << 20;
    private MemoryBlockDevice _device = null!;
    private SimKernel _kernel = null!;
    private LakeEngine _engine = null!;

    [SetUp]
    public void Open()
    {
        _device = new MemoryBlockDevice(DeviceBytes);
        Lake.Format(_device);
        _kernel = new SimKernel(5);
        _engine = Lake.Open(_device);
        Lake.Mount(_engine);
        Steps(3000);
    }

    [TearDown]
    public void Close()
    {
        _engine.Dispose();
        _device.Dispose();
    }

    [Test]
    public void ASnapshot_StaysWhole_WhileTheEngineGoesOn()
    {
        SnapshotSource source = _engine.HoldSnapshot()!;
        ulong inodes = _engine.GetStats().Inodes;
        ulong seq = _engine.AppliedSeq;
        Assert.That(_engine.HoldSnapshot(), Is.Null, "there is one already");
        using (LakeSnapshot snapshot = LakeSnapshot.Open(new ReadOnlyOverlayDevice(_device), source, Lake.Options))
        {
            for (int round = 0; round < 8; round++)
            {
                Steps(500);
                _engine.Checkpoint();
                Assert.That(Lake.Check(snapshot, source).Findings, Is.Empty);
            }

            Assert.That(snapshot.Counters.InodeCount, Is.EqualTo(inodes));
            Assert.That(snapshot.Counters.AppliedSeq, Is.EqualTo(seq));
        }

        // by a reader that comes late, too
        using (LakeSnapshot late = LakeSnapshot.Open(new ReadOnlyOverlayDevice(_device), source, Lake.Options))
        {
            Assert.That(Lake.Check(late, source).Findings, Is.Empty);
        }

        Assert.That(_engine.ReleaseSnapshot(), Is.True);
        AssertSurvivesReopen();
    }

    [Test]
    public void ASnapshot_WhoseRoomIsNeeded_IsGivenUp_AndTheEngineGoesOn()
    {
        _engine.HoldSnapshot();
        // much more than the region holds
        for (int round = 0; round < 400; round++)
        {
            Steps(40);
            _engine.Checkpoint();
        }

        Assert.That(_engine.ReleaseSnapshot(), Is.False);
        Assert.That(_engine.HoldSnapshot(), Is.Not.Null);
        Assert.That(_engine.ReleaseSnapshot(), Is.True);
        AssertSurvivesReopen();
    }

    [Test]
    public void ACheckpointInSlices_WithChangesBetween_IsWhole()
    {
        for (int round = 0; round < 6; round++)
        {
            Steps(600);
            int slices = 0;
            while (_engine.PrepareCheckpoint())
            {
                Steps(5);
                Assert.That(++slices, Is.LessThan(1000), "an end comes into sight");
            }

            _engine.Checkpoint();
        }

        AssertSurvivesReopen();
    }

    private void Steps(int count)
    {
        for (int i = 0; i < count; i++)
        {
            _kernel.Step(_engine);
        }
    }

    private void AssertSurvivesReopen()
    {
        Assert.That(Lake.Check(_engine).Findings, Is.Empty);
        _engine.Commit();
        string dump = Lake.Dump(_engine);
        using LakeEngine again = Lake.Open(_device);
        Assert.That(Lake.Check(again).Findings, Is.Empty);
        Assert.That(Lake.Dump(again), Is.EqualTo(dump));
    }
}
