// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepLake.Abi;

namespace DeepLake.Transport;

/// <summary>
/// The reading end of a ring that the kernel writes. The acquire of the head pairs with the kernel's
/// release after it filled an entry; the release of the tail pairs with its acquire before it fills the
/// place again. Positions are private and free-running; what the kernel wrote is copied once, checked
/// in the copy, and never looked at again. Nothing here allocates.
/// </summary>
internal sealed unsafe class RingConsumer
{
    // Both kinds of entry begin so: u32 len, u16 op, u16 flags. A pad has at least these bytes.
    private const int PrefixBytes = 8;
    private const int OpOffset = 4;

    private readonly byte* _ring;
    private readonly ulong _ringBytes;
    private readonly ulong* _head;
    private readonly ulong* _tail;
    private readonly int _minBytes;
    private readonly int _maxBytes;
    private ulong _position;
    private ulong _published;
    private bool _isBroken;

    internal RingConsumer(byte* ring, int ringBytes, ulong* head, ulong* tail, int minBytes, int maxBytes)
    {
        _ring = ring;
        _ringBytes = (ulong)ringBytes;
        _head = head;
        _tail = tail;
        _minBytes = minBytes;
        _maxBytes = maxBytes;
    }

    /// <summary>Bytes that were read and not given back yet.</summary>
    internal ulong UnpublishedBytes => _position - _published;

    /// <summary>Whether the kernel has published anything beyond what was read.</summary>
    internal bool HasEntries => Volatile.Read(ref *_head) != _position;

    /// <summary>Copies the next entry; pads are skipped.</summary>
    /// <param name="buffer">At least as long as the longest entry.</param>
    /// <param name="length">Bytes of the entry.</param>
    internal ReadStatus TryRead(Span<byte> buffer, out int length)
    {
        length = 0;
        while (!_isBroken)
        {
            ulong available = Volatile.Read(ref *_head) - _position;
            if (available == 0)
            {
                return ReadStatus.Empty;
            }
            ulong place = _position % _ringBytes;
            ulong untilEnd = _ringBytes - place;
            if (available > _ringBytes || available < PrefixBytes || available % PrefixBytes != 0)
            {
                break;
            }
            ulong prefix = Unsafe.ReadUnaligned<ulong>(_ring + place);
            uint entryBytes = (uint)prefix;
            ushort op = (ushort)(prefix >> (OpOffset * 8));
            if (op == 0)
            {
                if (entryBytes != untilEnd || entryBytes > available)
                {
                    break;
                }
                _position += entryBytes;
                continue;
            }
            if (!IsPlausible(entryBytes, Math.Min(available, untilEnd)) || entryBytes > buffer.Length)
            {
                break;
            }
            new ReadOnlySpan<byte>(_ring + place, (int)entryBytes).CopyTo(buffer);
            // The copy must agree with what was checked, whatever the other side does meanwhile.
            MemoryMarshal.Write(buffer, in prefix);
            length = (int)entryBytes;
            _position += entryBytes;
            return ReadStatus.Entry;
        }
        _isBroken = true;
        return ReadStatus.Broken;
    }

    /// <summary>
    /// Gives the room of everything read back to the kernel. The full barrier after it pairs with the
    /// kernel's between its store of last_seq and its look at the tail of a full ring: either the kernel
    /// sees the room, or the caller sees that the kernel holds intents back, and kicks it.
    /// </summary>
    internal void Publish()
    {
        if (_published != _position)
        {
            Volatile.Write(ref *_tail, _position);
            _published = _position;
            Interlocked.MemoryBarrier();
        }
    }

    private bool IsPlausible(uint entryBytes, ulong contiguous) =>
        entryBytes >= _minBytes && entryBytes <= _maxBytes && entryBytes % LakeRing.EntryAlign == 0 && entryBytes <= contiguous;
}
