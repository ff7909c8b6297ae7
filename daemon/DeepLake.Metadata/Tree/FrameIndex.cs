// SPDX-License-Identifier: MPL-2.0
using System.Numerics;
using System.Runtime.CompilerServices;

namespace DeepLake.Metadata.Tree;

/// <summary>
/// Which frame holds a page: open addressing with linear probing, at most half full; removal closes
/// the gap (Knuth, TAOCP 3, 6.4, algorithm R). The keys are the frames' own page numbers.
/// </summary>
internal sealed unsafe class FrameIndex
{
    private readonly int[] _array;
    private readonly int* _slots; // frame + 1; 0 is free
    private readonly int _mask;
    private readonly int _shift;

    public FrameIndex(int frames)
    {
        int bits = BitOperations.Log2((uint)frames) + 2;
        _array = GC.AllocateArray<int>(1 << bits, pinned: true);
        _slots = (int*)Unsafe.AsPointer(ref _array[0]);
        _mask = (1 << bits) - 1;
        _shift = 64 - bits;
    }

    /// <summary>The frame, or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Find(PageCache.Frame* frames, ulong page)
    {
        for (int at = Home(page); ; at = (at + 1) & _mask)
        {
            int frame = _slots[at] - 1;
            if (frame < 0 || frames[frame].Page == page)
            {
                return frame;
            }
        }
    }

    /// <summary>The frame's page is not in the index yet.</summary>
    public void Add(PageCache.Frame* frames, int frame)
    {
        int at = Home(frames[frame].Page);
        while (_slots[at] != 0)
        {
            at = (at + 1) & _mask;
        }

        _slots[at] = frame + 1;
    }

    public void Remove(PageCache.Frame* frames, int frame)
    {
        int at = Home(frames[frame].Page);
        while (_slots[at] != frame + 1)
        {
            at = (at + 1) & _mask;
        }

        for (int next = (at + 1) & _mask; _slots[next] != 0; next = (next + 1) & _mask)
        {
            int home = Home(frames[_slots[next] - 1].Page);
            if (((next - home) & _mask) >= ((next - at) & _mask))
            {
                _slots[at] = _slots[next];
                at = next;
            }
        }

        _slots[at] = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Home(ulong page) => (int)((page * 0x9e3779b97f4a7c15ul) >> _shift);
}
