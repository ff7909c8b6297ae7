// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using DeepLake.Abi;

namespace DeepLake.Transport;

/// <summary>
/// Puts replies into the ring. The release of the head pairs with the kernel's acquire; the acquire of
/// its tail pairs with its release after it copied a reply out. Nothing here allocates.
/// </summary>
public sealed unsafe class ReplyWriter(RingMemory memory)
{
    private static readonly int HeaderBytes = Unsafe.SizeOf<ReplyHeader>();

    private ulong _head;

    /// <summary>Largest payload of one reply; leaves room for an entry to be stretched to the ring's end.</summary>
    public const int MaxPayloadBytes = LakeRing.ReplyMax - 64;

    /// <summary>Writes and publishes one reply. A negative <paramref name="status"/> is an errno.</summary>
    public WriteStatus TryWrite(ulong tag, int status, uint flags, ReadOnlySpan<byte> payload)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(payload.Length, MaxPayloadBytes);
        ulong used = _head - Volatile.Read(ref memory.Kernel->ReplyTail);
        if (used > LakeRing.ReplyRingBytes || used % LakeRing.EntryAlign != 0)
        {
            return WriteStatus.Broken;
        }
        int entryBytes = (HeaderBytes + payload.Length + LakeRing.EntryAlign - 1) & -LakeRing.EntryAlign;
        int place = (int)(_head % LakeRing.ReplyRingBytes);
        int untilEnd = LakeRing.ReplyRingBytes - place;
        int pad = entryBytes > untilEnd ? untilEnd : 0;
        // A rest too short for a pad's header belongs to this entry.
        if (untilEnd - entryBytes > 0 && untilEnd - entryBytes < HeaderBytes)
        {
            entryBytes = untilEnd;
        }
        if (used + (ulong)(entryBytes + pad) > LakeRing.ReplyRingBytes)
        {
            return WriteStatus.Full;
        }
        if (pad > 0)
        {
            WritePad(place, pad);
            place = 0;
        }
        var header = new ReplyHeader
        {
            Len = (uint)entryBytes,
            PayloadBytes = (uint)payload.Length,
            Tag = tag,
            Status = status,
            Flags = flags,
        };
        byte* entry = memory.Replies + place;
        Unsafe.WriteUnaligned(entry, header);
        payload.CopyTo(new Span<byte>(entry + HeaderBytes, payload.Length));
        new Span<byte>(entry + HeaderBytes + payload.Length, entryBytes - HeaderBytes - payload.Length).Clear();
        _head += (ulong)(entryBytes + pad);
        Volatile.Write(ref memory.Daemon->ReplyHead, _head);
        return WriteStatus.Written;
    }

    private void WritePad(int place, int bytes) =>
        Unsafe.WriteUnaligned(memory.Replies + place, new ReplyHeader { Len = (uint)bytes, Tag = LakeRing.ReplyTagPad });
}
