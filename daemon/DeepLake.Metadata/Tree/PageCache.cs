// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Metadata.Tree;

/// <summary>
/// Write-back cache of tree pages in front of the page store. A fixed arena of frames; CLOCK
/// replacement. A frame used since <see cref="BeginOperation"/> is never evicted, so pointers stay
/// valid until the next operation begins. One thread.
/// </summary>
internal sealed unsafe class PageCache : IDisposable
{
    private readonly IPageStore _store;
    private readonly AlignedBuffer _arena;
    private readonly Frame[] _frames;
    private readonly Dictionary<ulong, int> _index;
    private int _hand;
    private int _unused;
    private ulong _operation = 1;

    /// <param name="store">Where evicted and flushed pages go.</param>
    /// <param name="frameCount">Frames of 4096 bytes; at least 64.</param>
    public PageCache(IPageStore store, int frameCount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(frameCount, 64);
        _store = store;
        _arena = new AlignedBuffer(frameCount * TreePage.Size);
        _frames = new Frame[frameCount];
        _index = new Dictionary<ulong, int>(frameCount);
    }

    public ulong Hits { get; private set; }

    public ulong Misses { get; private set; }

    /// <summary>Pages that the next flush hands to the store.</summary>
    public int DirtyPages { get; private set; }

    public void BeginOperation() => _operation++;

    /// <summary>The page's bytes, read and checked if it was not there.</summary>
    /// <exception cref="MetadataCorruptException">The page is absent or its bytes are not a page.</exception>
    public byte* Get(ulong page)
    {
        ref int slot = ref CollectionsMarshal.GetValueRefOrNullRef(_index, page);
        if (!System.Runtime.CompilerServices.Unsafe.IsNullRef(ref slot))
        {
            Hits++;
            ref Frame hit = ref _frames[slot];
            hit.Operation = _operation;
            hit.Referenced = true;
            return At(slot);
        }

        Misses++;
        int frame = Claim(page);
        byte* bytes = At(frame);
        if (!_store.TryRead(page, new Span<byte>(bytes, TreePage.Size)))
        {
            Release(frame);
            throw new MetadataCorruptException($"metadata page {page} is missing from the page store");
        }

        if (page != PageMeta.MetaPage && !new TreePage(bytes).IsSane(page))
        {
            Release(frame);
            throw new MetadataCorruptException($"metadata page {page} has impossible contents");
        }

        return bytes;
    }

    public byte* GetForWrite(ulong page)
    {
        byte* bytes = Get(page);
        MarkDirty(ref _frames[_index[page]]);
        return bytes;
    }

    /// <summary>A frame for a page that does not exist yet; its bytes are undefined.</summary>
    public byte* Create(ulong page)
    {
        int frame = Claim(page);
        MarkDirty(ref _frames[frame]);
        return At(frame);
    }

    public void Delete(ulong page)
    {
        if (_index.TryGetValue(page, out int frame))
        {
            Release(frame);
        }

        _store.Delete(page);
    }

    /// <summary>Hands every dirty page to the store; the store's checkpoint makes them durable.</summary>
    public void Flush()
    {
        for (int i = 0; i < _unused; i++)
        {
            if (_frames[i].Page != 0 && _frames[i].Dirty)
            {
                WriteBack(i);
            }
        }
    }

    public void Dispose() => _arena.Dispose();

    private byte* At(int frame) => _arena.Pointer + ((long)frame * TreePage.Size);

    private int Claim(ulong page)
    {
        int frame = _unused < _frames.Length ? _unused++ : Evict();
        _frames[frame] = new Frame { Page = page, Operation = _operation, Referenced = true };
        _index.Add(page, frame);
        return frame;
    }

    private void MarkDirty(ref Frame frame)
    {
        if (!frame.Dirty)
        {
            frame.Dirty = true;
            DirtyPages++;
        }
    }

    private void Release(int frame)
    {
        DirtyPages -= _frames[frame].Dirty ? 1 : 0;
        _index.Remove(_frames[frame].Page);
        _frames[frame] = default;
    }

    private int Evict()
    {
        for (int tries = 0; tries < 3 * _frames.Length; tries++)
        {
            int frame = _hand;
            _hand = _hand + 1 == _frames.Length ? 0 : _hand + 1;
            ref Frame candidate = ref _frames[frame];
            if (candidate.Page == 0)
            {
                return frame;
            }

            if (candidate.Operation == _operation)
            {
                continue;
            }

            if (candidate.Referenced)
            {
                candidate.Referenced = false;
                continue;
            }

            if (candidate.Dirty)
            {
                WriteBack(frame);
            }

            _index.Remove(candidate.Page);
            return frame;
        }

        throw new InvalidOperationException("every frame of the page cache is in use by one operation");
    }

    private void WriteBack(int frame)
    {
        _store.Write(_frames[frame].Page, new ReadOnlySpan<byte>(At(frame), TreePage.Size));
        _frames[frame].Dirty = false;
        DirtyPages--;
    }

    private struct Frame
    {
        public ulong Page;
        public ulong Operation;
        public bool Dirty;
        public bool Referenced;
    }
}
