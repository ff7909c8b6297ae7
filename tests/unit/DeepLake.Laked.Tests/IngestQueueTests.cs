// SPDX-License-Identifier: MPL-2.0
using DeepLake.Laked.Ingest;
using NUnit.Framework;

namespace DeepLake.Laked.Tests;

[TestFixture]
public sealed class IngestQueueTests
{
    private const int Most = 1 << 16;

    private IngestQueue _queue = null!;

    [SetUp]
    public void SetUp() => _queue = new IngestQueue();

    [Test]
    public void TakeDue_GivesWhatIsDue_Once()
    {
        _queue.Put(1, At(10));
        _queue.Put(2, At(20));
        _queue.Put(3, At(30));
        Assert.That(_queue.TakeDue(At(9)), Is.Empty);
        Assert.That(_queue.TakeDue(At(20)), Is.EquivalentTo(new ulong[] { 1, 2 }));
        Assert.That(_queue.TakeDue(At(20)), Is.Empty);
        Assert.That(_queue.Count, Is.EqualTo(1));
        Assert.That(_queue.Contains(3), Is.True);
    }

    [Test]
    public void Put_OfAFileThatWaits_MovesItsTime_AndPutIfAbsentDoesNot()
    {
        _queue.Put(1, At(10));
        _queue.Put(1, At(40));
        _queue.PutIfAbsent(1, At(5));
        Assert.That(_queue.TakeDue(At(39)), Is.Empty);
        Assert.That(_queue.TakeDue(At(40)), Is.EqualTo(new ulong[] { 1 }));
        _queue.PutIfAbsent(1, At(50));
        Assert.That(_queue.TakeDue(At(50)), Is.EqualTo(new ulong[] { 1 }));
    }

    [Test]
    public void Put_WhenFull_ForgetsAndSaysSo_ButMovesWhatWaits()
    {
        for (ulong ino = 0; ino < Most; ino++)
        {
            _queue.Put(ino, At(10));
        }

        _queue.Put(5, At(20));
        Assert.That(_queue.HasForgotten, Is.False);
        _queue.Put(Most, At(10));
        Assert.That(_queue.HasForgotten, Is.True);
        Assert.That(_queue.Count, Is.EqualTo(Most));
        Assert.That(_queue.Contains(Most), Is.False);
        Assert.That(_queue.TakeDue(At(10)), Has.Count.EqualTo(Most - 1).And.No.Member(5));
    }

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);
}
