// SPDX-License-Identifier: MPL-2.0
using System.Runtime.CompilerServices;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Metadata.Tree;

/// <summary>
/// Write-back cache of tree pages in front of the page store. A fixed arena of frames; CLOCK
/// replacement. A frame used since <see cref="BeginOperation"/> is never evicted, so pointers stay
/// valid until the next operation begins. Who keeps a frame's number longer asks <see cref="Holds"/>.
/// However large the cache, only so many of its pages wait to be written: that is what a checkpoint,
/// and everybody who waits for one, has to write at once. One thread.
/// </summary>
internal sealed unsafe class PageCache : IDisposable
{
    private const int DirtyMost = 4096;
    private const int CleanBatch = 8;

    private readonly IPageStore _store;
    private readonly AlignedBuffer _arena;
    private readonly byte* _bytes;
    private readonly Frame[] _frameArray;
    private readonly Frame* _frames;
    private readonly int _frameCount;
    private readonly FrameIndex _index;
    private int _hand;
    private int _cleanHand;
    private int _unused;
    private int _ahead;
    private ulong _operation = 1;

    /// <param name="store">Where evicted and flushed pages go.</param>
    /// <param name="frameCount">Frames of 4096 bytes; at least 64.</param>
    public PageCache(IPageStore store, int frameCount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(frameCount, 64);
        _store = store;
        _arena = new AlignedBuffer(frameCount * TreePage.Size);
        _bytes = _arena.Pointer;
        _frameCount = frameCount;
        _frameArray = GC.AllocateArray<Frame>(frameCount, pinned: true);
        _frames = (Frame*)Unsafe.AsPointer(ref _frameArray[0]);
        _index = new FrameIndex(frameCount);
    }

    public ulong Misses { get; private set; }

    /// <summary>Pages that the next flush hands to the store.</summary>
    public int DirtyPages { get; private set; }

    /// <summary>Changes whenever the store was written or a page became dirty: what the need for room depends on.</summary>
    public ulong WorkStamp { get; private set; }

    public bool ReadsAhead => _store.ReadsAhead;

    /// <summary>Has the store read those that are not here; equal ones follow each other.</summary>
    public void ReadAhead(ReadOnlySpan<ulong> pages)
    {
        ulong[] missing = new ulong[pages.Length];
        int count = 0;
        ulong last = 0;
        foreach (ulong page in pages)
        {
            if (page != last && _index.Find(_frames, page) < 0)
            {
                missing[count++] = page;
            }

            last = page;
        }

        _store.ReadAhead(missing.AsSpan(0, count));
    }

    public void BeginOperation()
    {
        _operation++;
        if (DirtyPages > DirtyMost)
        {
            WriteSome();
        }
    }

    public byte* At(int frame) => _bytes + ((long)frame * TreePage.Size);

    public bool Holds(int frame, ulong page) => _frames[frame].Page == page;

    /// <summary>Keeps a frame for this operation.</summary>
    public void Touch(int frame)
    {
        _frames[frame].Operation = _operation;
        _frames[frame].Referenced = true;
    }

    /// <summary>The page's bytes, read and checked if it was not there.</summary>
    /// <exception cref="MetadataCorruptException">The page is absent or its bytes are not a page.</exception>
    public byte* Get(ulong page) => At(GetFrame(page));

    public byte* GetForWrite(ulong page)
    {
        int frame = GetFrame(page);
        MarkDirty(frame);
        return At(frame);
    }

    public int GetFrame(ulong page)
    {
        int frame = _index.Find(_frames, page);
        if (frame < 0)
        {
            frame = Load(page);
        }

        Touch(frame);
        return frame;
    }

    /// <summary>A frame for a page that does not exist yet; its bytes are undefined.</summary>
    public byte* Create(ulong page)
    {
        int frame = Claim(page);
        MarkDirty(frame);
        return At(frame);
    }

    public void MarkDirty(int frame)
    {
        if (!_frames[frame].Dirty)
        {
            _frames[frame].Dirty = true;
            DirtyPages++;
            WorkStamp++;
        }
    }

    public void Delete(ulong page)
    {
        int frame = _index.Find(_frames, page);
        bool isStored = frame < 0 || _frames[frame].Stored;
        if (frame >= 0)
        {
            Release(frame);
        }

        WorkStamp++;
        if (isStored)
        {
            _store.Delete(page, isKnown: true);
        }
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

    /// <summary>
    /// Hands up to this many dirty pages to the store, ahead of <see cref="Flush"/>; the next call goes on
    /// behind them. False when it has been once around.
    /// </summary>
    public bool FlushSome(int pages)
    {
        for (; _ahead < _unused; _ahead++)
        {
            if (_frames[_ahead].Page == 0 || !_frames[_ahead].Dirty)
            {
                continue;
            }

            if (pages-- == 0)
            {
                return true;
            }

            WriteBack(_ahead, isLost: Planted.Is(PlantedFault.SlicedPageLost) && _frames[_ahead].Stored);
        }

        _ahead = 0;
        return false;
    }

    public void Dispose() => _arena.Dispose();

    private int Load(ulong page)
    {
        Misses++;
        int frame = Claim(page);
        if (!_store.TryRead(page, new Span<byte>(At(frame), TreePage.Size)))
        {
            Release(frame);
            throw new MetadataCorruptException($"metadata page {page} is missing from the page store");
        }

        if (page != PageMeta.MetaPage && !new TreePage(At(frame)).IsSane(page))
        {
            Release(frame);
            throw new MetadataCorruptException($"metadata page {page} has impossible contents");
        }

        _frames[frame].Stored = true;
        return frame;
    }

    private int Claim(ulong page)
    {
        int frame = _unused < _frameCount ? _unused++ : Evict();
        _frames[frame] = new Frame { Page = page, Operation = _operation, Referenced = true };
        _index.Add(_frames, frame);
        return frame;
    }

    private void Release(int frame)
    {
        DirtyPages -= _frames[frame].Dirty ? 1 : 0;
        _index.Remove(_frames, frame);
        _frames[frame] = default;
    }

    private int Evict()
    {
        for (int tries = 0; tries < 3 * _frameCount; tries++)
        {
            int frame = _hand;
            _hand = _hand + 1 == _frameCount ? 0 : _hand + 1;
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
                WriteBack(frame, isLost: Planted.Is(PlantedFault.EvictedPageLost) && candidate.Stored);
            }

            _index.Remove(_frames, frame);
            return frame;
        }

        throw new InvalidOperationException("every frame of the page cache is in use by one operation");
    }

    /// <summary>Writes a few dirty pages back, going round; they stay here.</summary>
    private void WriteSome()
    {
        for (int written = 0; written < CleanBatch;)
        {
            int frame = _cleanHand;
            _cleanHand = frame + 1 == _frameCount ? 0 : frame + 1;
            if (_frames[frame].Dirty)
            {
                WriteBack(frame);
                written++;
            }
        }
    }

    private void WriteBack(int frame, bool isLost = false)
    {
        if (!isLost)
        {
            _store.Write(_frames[frame].Page, new ReadOnlySpan<byte>(At(frame), TreePage.Size), _frames[frame].Stored);
        }

        _frames[frame].Stored = true;
        _frames[frame].Dirty = false;
        DirtyPages--;
        WorkStamp++;
    }

    internal struct Frame
    {
        public ulong Page;
        public ulong Operation;
        public bool Dirty;
        public bool Referenced;
        public bool Stored; // the page exists in the store, in this or an older form
    }
}
