// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Platform;
using DeepLake.Sim;
using DeepLake.Storage;
using NUnit.Framework;

namespace DeepLake.Engine.Tests;

/// <summary>INODES: many records in one answer; and READDIR answers as long as asked.</summary>
[TestFixture]
public sealed class InodesRequestTests
{
    private const int ReplyBytes = LakeRing.ReplyMax - 64;
    private MemoryBlockDevice _device = null!;
    private LakeEngine _engine = null!;
    private ulong _seq;

    [SetUp]
    public void Open()
    {
        _device = new MemoryBlockDevice(128L << 20);
        Lake.Format(_device);
        _engine = Lake.Open(_device);
        _seq = 0;
    }

    [TearDown]
    public void Close()
    {
        _engine.Dispose();
        _device.Dispose();
    }

    [Test]
    public void Inodes_ComeInTheOrderAsked_WithTargetsAndExtents_WithoutThoseThatDoNotExist()
    {
        ulong data = _engine.Superblock.Data.StartBlock;
        Create(20, 0x81a4, "file");
        Create(21, 0xa1ff, "link", "seven77"u8.ToArray());
        Create(22, 0x41ed, "dir");
        for (uint i = 0; i < 3; i++)
        {
            Apply(new IntentMap { Ino = 20, FileBlock = 10 * i, PhysBlock = data + (2 * i), Blocks = 1 }, IntentOp.Map);
        }

        List<(ReplyInode Head, byte[] Tail)> found = Parse(Ask([22, 777, 21, 20, 1, 22], maxExtents: 3));
        Assert.That(found.Select(f => f.Head.Inode.Ino), Is.EqualTo(new ulong[] { 22, 21, 20, 1, 22 }));
        Assert.That(found[0].Head.Flags, Is.Zero);
        Assert.That(found[1].Tail, Is.EqualTo("seven77\0"u8.ToArray()));
        Assert.That(found[2].Head.Extents, Is.EqualTo(3));
        Assert.That(found[2].Head.Flags, Is.EqualTo(LakeRing.InodeWhole));
        Assert.That(
            MemoryMarshal.Cast<byte, ReplyExtent>(found[2].Tail).ToArray().Select(e => (e.FileBlock, e.PhysBlock, e.Blocks)),
            Is.EqualTo(new[] { (0ul, data, 1u), (10ul, data + 2, 1u), (20ul, data + 4, 1u) }));
    }

    [Test]
    public void AMapThatIsNotSentWhole_IsNotMarkedWhole()
    {
        ulong data = _engine.Superblock.Data.StartBlock;
        Create(20, 0x81a4, "file");
        Assert.That(Parse(Ask([20], 0))[0].Head.Flags, Is.EqualTo(LakeRing.InodeWhole), "an empty map is whole");
        for (uint i = 0; i < 3; i++)
        {
            Apply(new IntentMap { Ino = 20, FileBlock = 10 * i, PhysBlock = data + (2 * i), Blocks = 1 }, IntentOp.Map);
        }

        foreach (uint most in new uint[] { 0, 1, 2 })
        {
            (ReplyInode head, byte[] rest) = Parse(Ask([20], most))[0];
            Assert.That((head.Extents, head.Flags, rest.Length), Is.EqualTo(((ushort)most, (ushort)0, (int)most * 24)));
        }
    }

    [Test]
    public void AnOrphan_IsStillAnswered_LikeInodeDoes()
    {
        Create(20, 0x81a4, "file");
        Apply(new IntentUnlink { Dir = 1, Ino = 20, NameBytes = 4 }, IntentOp.Unlink, "file"u8.ToArray());
        Assert.That(Parse(Ask([20], 1)).Single().Head.Inode.Nlink, Is.Zero);
        Apply(new IntentRelease { Ino = 20 }, IntentOp.Release);
        Assert.That(Ask([20], 1), Is.Empty);
    }

    [Test]
    public void AFullReply_EndsAtAWholeInode()
    {
        byte[] target = new byte[4095];
        Array.Fill(target, (byte)'t');
        ulong[] inos = [.. Enumerable.Range(20, 200).Select(i => (ulong)i)];
        foreach (ulong ino in inos)
        {
            Create(ino, 0xa1ff, $"link{ino}", target);
        }

        List<(ReplyInode Head, byte[] Tail)> found = Parse(Ask(inos, 8));
        Assert.That(found, Has.Count.EqualTo(ReplyBytes / (160 + 4096)));
        Assert.That(found.Select(f => f.Head.Inode.Ino), Is.EqualTo(inos.Take(found.Count)));
    }

    [Test]
    public void HostileRequests_AreRefused()
    {
        byte[] whole = Request([20, 21], 1);
        for (int bytes = 24; bytes < whole.Length; bytes++)
        {
            Assert.That(Handle(whole[..bytes], ReplyBytes, out _), Is.EqualTo(-(int)Errno.EINVAL));
        }

        byte[] large = Request(new ulong[LakeRing.InodesMax], 1);
        Assert.That(Handle(large, ReplyBytes, out _), Is.Zero);
        foreach (uint count in new uint[] { 0, LakeRing.InodesMax + 1, 0x20000000, 0x80000000, uint.MaxValue })
        {
            BitConverter.TryWriteBytes(large.AsSpan(24), count);
            Assert.That(Handle(large, ReplyBytes, out _), Is.EqualTo(-(int)Errno.EINVAL));
        }

        Assert.That(Handle(Request([1], LakeRing.InodesExtentsMax + 1), ReplyBytes, out _), Is.EqualTo(-(int)Errno.EINVAL));
        Assert.That(Handle(Request([1], 1), 159, out _), Is.EqualTo(-(int)Errno.EOVERFLOW));
        Assert.That(Handle(Request([0, ulong.MaxValue, 0xfffffffffffffff0], 8), ReplyBytes, out _), Is.Zero);
    }

    [TestCase(4096)]
    [TestCase(65536)]
    [TestCase(ReplyBytes)]
    public void Readdir_FillsAnswersToTheBytesAsked_AndGivesEveryEntryOnce(int maxBytes)
    {
        for (ulong ino = 20; ino < 3020; ino++)
        {
            Create(ino, 0x81a4, $"name-{ino}");
        }

        var seen = new List<ulong>();
        ulong cookie = 0;
        uint flags;
        do
        {
            var request = new RequestReaddir
            {
                Header = new RequestHeader { Len = 48, Op = RequestOp.Readdir },
                Ino = 1,
                Cookie = cookie,
                MaxBytes = (uint)maxBytes,
            };
            byte[] payload = new byte[ReplyBytes];
            int bytes = _engine.HandleRequest(MemoryMarshal.AsBytes(new ReadOnlySpan<RequestReaddir>(in request)), payload, out flags);
            Assert.That(bytes, flags == 0 ? Is.GreaterThan(0) : Is.InRange(maxBytes - 40, maxBytes));
            for (int at = 0; at < bytes;)
            {
                ReplyDirent entry = MemoryMarshal.Read<ReplyDirent>(payload.AsSpan(at));
                seen.Add(entry.Ino);
                cookie = entry.Cookie;
                at += entry.Len;
            }
        }
        while ((flags & LakeRing.ReplyMore) != 0);
        Assert.That(seen, Is.EqualTo(Enumerable.Range(20, 3000).Select(i => (ulong)i)));
    }

    private static byte[] Request(ulong[] inos, uint maxExtents)
    {
        byte[] request = new byte[Unsafe.SizeOf<RequestInodes>() + (inos.Length * 8)];
        MemoryMarshal.Write(request, new RequestInodes
        {
            Header = new RequestHeader { Len = (uint)request.Length, Op = RequestOp.Inodes },
            Count = (uint)inos.Length,
            MaxExtents = maxExtents,
        });
        MemoryMarshal.AsBytes(inos.AsSpan()).CopyTo(request.AsSpan(Unsafe.SizeOf<RequestInodes>()));
        return request;
    }

    private static List<(ReplyInode Head, byte[] Tail)> Parse(byte[] reply)
    {
        var found = new List<(ReplyInode, byte[])>();
        for (int at = 0; at < reply.Length;)
        {
            ReplyInode head = MemoryMarshal.Read<ReplyInode>(reply.AsSpan(at));
            Assert.That(head.Len % 8, Is.Zero);
            found.Add((head, reply[(at + Unsafe.SizeOf<ReplyInode>())..(at + (int)head.Len)]));
            at += (int)head.Len;
        }

        return found;
    }

    private int Handle(byte[] request, int replyBytes, out byte[] reply)
    {
        reply = new byte[replyBytes];
        Array.Fill(reply, (byte)0xee);
        int bytes = _engine.HandleRequest(request, reply, out uint flags);
        Assert.That(flags, Is.Zero);
        reply = reply[..Math.Max(bytes, 0)];
        return bytes;
    }

    private byte[] Ask(ulong[] inos, uint maxExtents)
    {
        Assert.That(Handle(Request(inos, maxExtents), ReplyBytes, out byte[] reply), Is.GreaterThanOrEqualTo(0));
        return reply;
    }

    private void Create(ulong ino, uint mode, string name, byte[]? target = null)
    {
        var intent = new IntentCreate
        {
            Dir = 1,
            Ino = ino,
            Mode = mode,
            NameBytes = (ushort)name.Length,
            LinkBytes = (ushort)(target?.Length ?? 0),
        };
        Apply(intent, IntentOp.Create, IntentWriter.Name(name), target ?? []);
    }

    private void Apply<T>(T intent, IntentOp op, params byte[][] parts)
        where T : unmanaged => _engine.Apply(IntentWriter.Encode(intent, op, ++_seq, parts));
}
