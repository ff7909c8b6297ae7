// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using NUnit.Framework;

namespace DeepLake.Transport.Tests;

[TestFixture]
public sealed class RingConsumerTests
{
    private readonly byte[] _buffer = new byte[LakeRing.IntentMax];
    private FakeKernel _kernel = null!;
    private IntentReader _reader = null!;

    [SetUp]
    public void SetUp()
    {
        _kernel = new FakeKernel();
        _reader = new IntentReader(_kernel.Memory);
    }

    [TearDown]
    public void TearDown() => _kernel.Dispose();

    [Test]
    public void Read_ReturnsEveryEntryInOrder_OverManyWraps()
    {
        var random = new Random(7);
        ulong sent = 0;
        ulong received = 0;
        var lengths = new Queue<int>();
        while (received < 20_000)
        {
            int length = random.Next(50) == 0 ? LakeRing.IntentMax : 16 + (8 * random.Next(200));
            while (_kernel.TryPutIntent(sent + 1, length))
            {
                sent++;
                lengths.Enqueue(length);
                length = 16 + (8 * random.Next(200));
            }
            for (int i = random.Next(400); i >= 0 && _reader.TryRead(_buffer, out int got) == ReadStatus.Entry; i--)
            {
                received++;
                Assert.That(got, Is.EqualTo(lengths.Dequeue()));
                CheckContent(got, received);
            }
            _reader.Publish();
        }
    }

    [Test]
    public void Read_OfAnEmptyRing_SaysEmpty() =>
        Assert.That(_reader.TryRead(_buffer, out _), Is.EqualTo(ReadStatus.Empty));

    [Test]
    public unsafe void Publish_GivesTheRoomBack_OnlyThen()
    {
        _kernel.TryPutIntent(1, 64);
        _reader.TryRead(_buffer, out _);
        Assert.That(_kernel.DaemonPage->IntentTail, Is.Zero);
        _reader.Publish();
        Assert.That(_kernel.DaemonPage->IntentTail, Is.EqualTo(64));
    }

    [TestCase(0u, (ushort)1, 64ul, TestName = "Read_RefusesLengthZero")]
    [TestCase(8u, (ushort)1, 64ul, TestName = "Read_RefusesLessThanAHeader")]
    [TestCase(20u, (ushort)1, 64ul, TestName = "Read_RefusesUnalignedLength")]
    [TestCase(72u, (ushort)1, 64ul, TestName = "Read_RefusesMoreThanIsPublished")]
    [TestCase(98312u, (ushort)1, 524288ul, TestName = "Read_RefusesMoreThanTheLargestIntent")]
    [TestCase(0xfffffff8u, (ushort)1, 64ul, TestName = "Read_RefusesHugeLength")]
    [TestCase(64u, (ushort)0, 64ul, TestName = "Read_RefusesPadThatDoesNotEndTheRing")]
    [TestCase(64u, (ushort)1, 4ul, TestName = "Read_RefusesUnalignedHead")]
    [TestCase(64u, (ushort)1, 1048584ul, TestName = "Read_RefusesHeadBeyondTheRing")]
    [TestCase(64u, (ushort)1, 0xfffffffffffffff8ul, TestName = "Read_RefusesHeadBehindTheTail")]
    public void HostileEntries(uint length, ushort op, ulong published)
    {
        _kernel.PutRawIntent(length, op, published);
        Assert.That(_reader.TryRead(_buffer, out _), Is.EqualTo(ReadStatus.Broken));
        Assert.That(_reader.TryRead(_buffer, out _), Is.EqualTo(ReadStatus.Broken), "and it stays so");
    }

    [Test]
    public void Read_RefusesPadThatIsNotPublishedWhole()
    {
        for (ulong seq = 1; seq <= 10; seq++)
        {
            _kernel.TryPutIntent(seq, LakeRing.IntentMax);
            _reader.TryRead(_buffer, out _);
        }
        uint rest = LakeRing.IntentRingBytes - (10 * LakeRing.IntentMax);
        _kernel.PutRawIntent(rest, 0, 8);
        Assert.That(_reader.TryRead(_buffer, out _), Is.EqualTo(ReadStatus.Broken));
    }

    [Test]
    public void Read_DoesNotAllocate()
    {
        for (int i = 0; i < 2; i++)
        {
            for (ulong seq = 1; seq <= 2000; seq++)
            {
                _kernel.TryPutIntent(seq, 128);
            }
            long before = GC.GetAllocatedBytesForCurrentThread();
            while (_reader.TryRead(_buffer, out _) == ReadStatus.Entry)
            {
            }
            _reader.Publish();
            long after = GC.GetAllocatedBytesForCurrentThread();
            Assert.That(after - before, Is.Zero);
        }
    }

    [Test]
    public void Requests_ComeWithTagAndBarrier()
    {
        var requests = new RequestReader(_kernel.Memory);
        _kernel.TryPutRequest(41, 17, 24);
        _kernel.TryPutRequest(42, 18, LakeRing.RequestMax);
        Assert.That(requests.TryRead(_buffer, out int length), Is.EqualTo(ReadStatus.Entry));
        var header = MemoryMarshal.Read<RequestHeader>(_buffer);
        Assert.That((length, header.Tag, header.Barrier), Is.EqualTo((24, 41ul, 17ul)));
        Assert.That(requests.TryRead(_buffer, out length), Is.EqualTo(ReadStatus.Entry));
        Assert.That((length, MemoryMarshal.Read<RequestHeader>(_buffer).Tag), Is.EqualTo((LakeRing.RequestMax, 42ul)));
        Assert.That(requests.HasEntries, Is.False);
    }

    private void CheckContent(int length, ulong seq)
    {
        var expected = new byte[length];
        FakeKernel.Fill(expected, seq);
        MemoryMarshal.Write(expected, new IntentHeader { Len = (uint)length, Op = IntentOp.Create, Seq = seq });
        Assert.That(_buffer.AsSpan(0, length).SequenceEqual(expected), $"content of {seq}");
    }
}
