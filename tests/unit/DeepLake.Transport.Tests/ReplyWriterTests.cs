// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using NUnit.Framework;

namespace DeepLake.Transport.Tests;

[TestFixture]
public sealed class ReplyWriterTests
{
    private FakeKernel _kernel = null!;
    private ReplyWriter _writer = null!;

    [SetUp]
    public void SetUp()
    {
        _kernel = new FakeKernel();
        _writer = new ReplyWriter(_kernel.Memory);
    }

    [TearDown]
    public void TearDown() => _kernel.Dispose();

    [Test]
    public void Replies_ArriveInOrderAndWhole_OverManyWraps()
    {
        var random = new Random(11);
        ulong sent = 0;
        ulong received = 0;
        var payloads = new Queue<byte[]>();
        while (received < 10_000)
        {
            byte[] payload = RandomPayload(random, sent + 1);
            while (_writer.TryWrite(sent + 1, -(int)(sent % 3), 1, payload) == WriteStatus.Written)
            {
                sent++;
                payloads.Enqueue(payload);
                payload = RandomPayload(random, sent + 1);
            }
            for (int i = random.Next(300); i >= 0 && _kernel.TakeReply() is { } reply; i--)
            {
                Assert.That(reply.Payload.AsSpan().SequenceEqual(payloads.Dequeue()));
                Assert.That(reply.Header.Status, Is.EqualTo(-(int)(received % 3)));
                Assert.That(reply.Header.Tag, Is.EqualTo(++received));
            }
            _kernel.PublishReplyTail();
        }
    }

    [Test]
    public void Write_IntoAFullRing_SaysFull_AndSucceedsAfterTheKernelConsumed()
    {
        var payload = new byte[ReplyWriter.MaxPayloadBytes];
        ulong tag = 0;
        while (_writer.TryWrite(++tag, 0, 0, payload) == WriteStatus.Written)
        {
        }
        Assert.That(tag, Is.GreaterThan(7));
        Assert.That(_writer.TryWrite(tag, 0, 0, payload), Is.EqualTo(WriteStatus.Full));
        _kernel.TakeReply();
        _kernel.TakeReply();
        Assert.That(_writer.TryWrite(tag, 0, 0, payload), Is.EqualTo(WriteStatus.Full), "not before the tail is published");
        _kernel.PublishReplyTail();
        Assert.That(_writer.TryWrite(tag, 0, 0, payload), Is.EqualTo(WriteStatus.Written));
    }

    [TestCase(1ul << 40)]
    [TestCase(64ul)]
    [TestCase(4ul)]
    public unsafe void Write_RefusesATailOutOfRange(ulong tail)
    {
        _writer.TryWrite(1, 0, 0, []);
        _kernel.Page->ReplyTail = tail;
        Assert.That(_writer.TryWrite(2, 0, 0, []), Is.EqualTo(WriteStatus.Broken));
    }

    [Test]
    public void Write_DoesNotAllocate()
    {
        var payload = new byte[200];
        _writer.TryWrite(1, 0, 0, payload);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (ulong tag = 2; tag < 2000; tag++)
        {
            _writer.TryWrite(tag, 0, 0, payload);
        }
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public unsafe void SharedWords_PublishWhatTheKernelReads()
    {
        var words = new SharedWords(_kernel.Memory);
        words.PublishApplied(77);
        words.BeginSleep();
        Assert.That((_kernel.DaemonPage->AppliedSeq, _kernel.DaemonPage->Sleeping), Is.EqualTo((77ul, 1u)));
        words.EndSleep();
        Assert.That(_kernel.DaemonPage->Sleeping, Is.Zero);
        _kernel.Page->WantedSeq = 5;
        _kernel.Page->LastSeq = 9;
        _kernel.Page->SentSeq = 8;
        Assert.That((words.WantedSeq, words.KernelHoldsIntents, words.State), Is.EqualTo((5ul, true, ChannelState.Running)));
    }

    private static byte[] RandomPayload(Random random, ulong seed)
    {
        var payload = new byte[random.Next(40) == 0 ? ReplyWriter.MaxPayloadBytes : random.Next(3000)];
        FakeKernel.Fill(payload, seed);
        return payload;
    }
}
