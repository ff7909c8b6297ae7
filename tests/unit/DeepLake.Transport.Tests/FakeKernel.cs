// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Platform;
using DeepLake.Transport;

namespace DeepLake.Transport.Tests;

/// <summary>The kernel's side of the rings, in memory; it checks everything the daemon publishes.</summary>
internal sealed unsafe class FakeKernel : IDisposable
{
    private readonly AlignedBuffer _readOnly = new(LakeRing.ReadOnlyBytes, zeroed: true);
    private readonly AlignedBuffer _readWrite = new(LakeRing.ReadWriteBytes, zeroed: true);
    private readonly ulong[] _heads = new ulong[2];
    private ulong _replyTail;

    internal FakeKernel()
    {
        Memory = new RingMemory(_readOnly.Pointer, _readWrite.Pointer);
        Page->Magic = LakeRing.Magic;
        Page->AbiVersion = LakeRing.AbiVersion;
        Page->State = ChannelState.Running;
    }

    internal RingMemory Memory { get; }

    internal KernelPage* Page => (KernelPage*)_readOnly.Pointer;

    internal DaemonPage* DaemonPage => (DaemonPage*)_readWrite.Pointer;

    internal byte* Intents => _readOnly.Pointer + LakeRing.PageBytes;

    /// <summary>Puts an intent of this length into the ring; false when there is no room.</summary>
    internal bool TryPutIntent(ulong seq, int length, IntentOp op = IntentOp.Create)
    {
        var entry = new byte[length];
        Fill(entry, seq);
        MemoryMarshal.Write(entry, new IntentHeader { Len = (uint)length, Op = op, Seq = seq });
        return TryPut(0, Intents, LakeRing.IntentRingBytes, DaemonPage->IntentTail, entry);
    }

    internal bool TryPutRequest(ulong tag, ulong barrier, int length)
    {
        var entry = new byte[length];
        MemoryMarshal.Write(entry, new RequestHeader { Len = (uint)length, Op = RequestOp.Statfs, Tag = tag, Barrier = barrier });
        return TryPut(1, Intents + LakeRing.IntentRingBytes, LakeRing.RequestRingBytes, DaemonPage->RequestTail, entry);
    }

    /// <summary>Writes raw bytes at the intent head and publishes them, whatever they are.</summary>
    internal void PutRawIntent(uint length, ushort op, ulong published)
    {
        byte* at = Intents + (_heads[0] % LakeRing.IntentRingBytes);
        *(uint*)at = length;
        *(ushort*)(at + 4) = op;
        _heads[0] += published;
        Volatile.Write(ref Page->IntentHead, _heads[0]);
    }

    /// <summary>Takes the next reply out; null when there is none.</summary>
    internal (ReplyHeader Header, byte[] Payload)? TakeReply()
    {
        while (true)
        {
            ulong head = Volatile.Read(ref DaemonPage->ReplyHead);
            if (head == _replyTail)
            {
                return null;
            }
            int place = (int)(_replyTail % LakeRing.ReplyRingBytes);
            int room = LakeRing.ReplyRingBytes - place;
            Require(head - _replyTail <= LakeRing.ReplyRingBytes, "head too far");
            Require(room >= Unsafe.SizeOf<ReplyHeader>(), "a header does not fit");
            byte* at = _readWrite.Pointer + LakeRing.PageBytes + place;
            ReplyHeader header = Unsafe.ReadUnaligned<ReplyHeader>(at);
            Require(header.Len % LakeRing.EntryAlign == 0 && header.Len <= room && header.Len <= head - _replyTail, "length");
            _replyTail += header.Len;
            if (header.Tag == LakeRing.ReplyTagPad)
            {
                Require(header.Len == room, "a pad ends the ring");
                continue;
            }
            Require(header.Len <= LakeRing.ReplyMax && header.PayloadBytes <= header.Len - Unsafe.SizeOf<ReplyHeader>(), "payload length");
            return (header, new Span<byte>(at + Unsafe.SizeOf<ReplyHeader>(), (int)header.PayloadBytes).ToArray());
        }
    }

    internal void PublishReplyTail() => Volatile.Write(ref Page->ReplyTail, _replyTail);

    internal static void Fill(Span<byte> bytes, ulong seed)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)((seed * 31) + (ulong)i);
        }
    }

    public void Dispose()
    {
        _readOnly.Dispose();
        _readWrite.Dispose();
    }

    private bool TryPut(int ring, byte* memory, int ringBytes, ulong tail, byte[] entry)
    {
        ulong head = _heads[ring];
        int place = (int)(head % (ulong)ringBytes);
        int pad = entry.Length > ringBytes - place ? ringBytes - place : 0;
        if (head - tail + (ulong)(pad + entry.Length) > (ulong)ringBytes)
        {
            return false;
        }
        if (pad > 0)
        {
            *(ulong*)(memory + place) = (uint)pad;
            place = 0;
        }
        entry.CopyTo(new Span<byte>(memory + place, entry.Length));
        _heads[ring] = head + (ulong)(pad + entry.Length);
        Volatile.Write(ref ring == 0 ? ref Page->IntentHead : ref Page->RequestHead, _heads[ring]);
        return true;
    }

    private static void Require(bool condition, string what)
    {
        if (!condition)
        {
            throw new InvalidOperationException($"the daemon broke the protocol: {what}");
        }
    }
}
