// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Abi;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Engine.Ingest;

/// <summary>
/// The anchor table of a lake (docs/on-disk-format.md): hints where a chunk was seen. What is put in waits
/// in memory, where it is found, too, and goes to the device page by page, so that a page is written once
/// for all that came for it meanwhile. A page that is damaged is an empty one. Nothing is flushed. One thread.
/// </summary>
public sealed class AnchorTable : IDisposable
{
    /// <summary>How many may wait; then <see cref="Store"/> has to come first.</summary>
    public const int PendingMost = 1 << 14;

    private readonly IBlockDevice _device;
    private readonly Region _region;
    private readonly uint _crcOfUuid;
    private readonly Dictionary<ulong, AnchorItem> _pending = [];
    private readonly AlignedBuffer _buffer = new(LakeFormat.BlockSize, zeroed: true);
    private ulong[] _order = [];
    private int _stored;

    public AnchorTable(IBlockDevice device, in Superblock superblock)
    {
        _device = device;
        _region = superblock.Anchors;
        _crcOfUuid = Crc32C.Update(uint.MaxValue, superblock.Uuid);
    }

    /// <summary>How many wait in memory.</summary>
    public int Pending => _pending.Count;

    /// <summary>Nothing may be put in before something is stored.</summary>
    public bool IsFull => _pending.Count >= PendingMost;

    /// <summary>Called with the bytes of each read and write before it, to wait until there is time for it.</summary>
    public Action<int>? Pace { get; init; }

    /// <summary>Where chunks with these fingerprints were seen; an <c>Ino</c> of 0 says nowhere.</summary>
    /// <exception cref="StorageException">The device failed.</exception>
    public void Find(ReadOnlySpan<ulong> fingerprints, Span<AnchorItem> into)
    {
        int[] order = new int[fingerprints.Length];
        ulong[] sorted = fingerprints.ToArray();
        for (int i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }

        Array.Sort(sorted, order); // and so by page
        ulong loaded = ulong.MaxValue;
        foreach (int i in order)
        {
            ulong fingerprint = fingerprints[i];
            if (_pending.TryGetValue(fingerprint, out into[i]))
            {
                continue;
            }

            ulong number = PageOf(fingerprint);
            if (number != loaded)
            {
                Load(number);
                loaded = number;
            }

            int at = IndexOf(fingerprint);
            into[i] = at < 0 ? default : Page.Anchors[at];
        }
    }

    /// <summary>Notes where a chunk was seen, instead of where it had been seen before.</summary>
    public void Put(ulong fingerprint, ulong ino, ulong pos)
    {
        if (IsFull)
        {
            throw new InvalidOperationException("the anchor table is full and has to be stored");
        }

        _pending[fingerprint] = new AnchorItem { Fingerprint = fingerprint, Ino = ino, Pos = pos };
    }

    /// <summary>Writes some of what waits, up to so many pages; true while more waits.</summary>
    /// <exception cref="StorageException">The device failed; what was not written still waits.</exception>
    public bool Store(int pages)
    {
        if (_stored == _order.Length)
        {
            _order = [.. _pending.Keys];
            Array.Sort(_order);
            _stored = 0;
        }

        for (; pages > 0 && _stored < _order.Length; pages--)
        {
            StorePage();
        }

        return _pending.Count > 0;
    }

    public void Dispose() => _buffer.Dispose();

    private ref AnchorPage Page => ref MemoryMarshal.AsRef<AnchorPage>(_buffer.Span);

    private void StorePage()
    {
        ulong number = PageOf(_order[_stored]);
        int end = _stored + 1;
        while (end < _order.Length && PageOf(_order[end]) == number)
        {
            end++;
        }

        Load(number);
        ReadOnlySpan<ulong> keys = _order.AsSpan(_stored, end - _stored);
        foreach (ulong fingerprint in keys)
        {
            Insert(_pending[fingerprint]);
        }

        Page.Crc32c = Sum();
        Pace?.Invoke(_buffer.Length);
        _device.Write(_buffer.Span, Offset(number));
        foreach (ulong fingerprint in keys)
        {
            _pending.Remove(fingerprint);
        }

        _stored = end;
    }

    private void Insert(in AnchorItem item)
    {
        ref AnchorPage page = ref Page;
        int at = IndexOf(item.Fingerprint);
        if (at < 0 && page.Count < LakeFormat.AnchorsPerPage)
        {
            at = page.Count++;
        }
        else if (at < 0)
        {
            at = page.Next;
            page.Next = (ushort)((at + 1) % LakeFormat.AnchorsPerPage);
        }

        page.Anchors[at] = item;
    }

    private int IndexOf(ulong fingerprint)
    {
        ReadOnlySpan<AnchorItem> anchors = ((ReadOnlySpan<AnchorItem>)Page.Anchors)[..Page.Count];
        for (int i = 0; i < anchors.Length; i++)
        {
            if (anchors[i].Fingerprint == fingerprint)
            {
                return i;
            }
        }

        return -1;
    }

    private void Load(ulong number)
    {
        Pace?.Invoke(_buffer.Length);
        _device.Read(_buffer.Span, Offset(number));
        if (Page.Count > LakeFormat.AnchorsPerPage || Page.Next >= LakeFormat.AnchorsPerPage || Page.Number != number || Page.Crc32c != Sum())
        {
            _buffer.Span.Clear();
            Page.Number = number;
        }
    }

    private uint Sum()
    {
        uint noted = Page.Crc32c;
        Page.Crc32c = 0;
        uint sum = ~Crc32C.Update(_crcOfUuid, _buffer.Span);
        Page.Crc32c = noted;
        return sum;
    }

    private ulong PageOf(ulong fingerprint) => Math.BigMul(fingerprint, _region.Blocks, out _);

    private long Offset(ulong number) => (long)(_region.StartBlock + number) * LakeFormat.BlockSize;
}
