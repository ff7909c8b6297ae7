// SPDX-License-Identifier: MPL-2.0
using System.Numerics;

namespace DeepLake.Metadata.Space;

/// <summary>One bit per block; ranges are set and cleared as a whole. Indices are zero-based.</summary>
internal sealed class BlockBitmap
{
    private readonly ulong[] _words;

    public BlockBitmap(ulong bits)
    {
        Bits = bits;
        _words = new ulong[(bits + 63) / 64];
    }

    public ulong Bits { get; }

    public ulong SetCount { get; private set; }

    public ReadOnlySpan<ulong> Words => _words;

    public bool this[ulong bit] => (_words[bit >> 6] >> (int)(bit & 63) & 1) != 0;

    /// <summary>Sets the range; returns how many of its bits were clear.</summary>
    public ulong Set(ulong start, ulong count) => Change(start, count, set: true);

    /// <summary>Clears the range; returns how many of its bits were set.</summary>
    public ulong Clear(ulong start, ulong count) => Change(start, count, set: false);

    public ulong CountSet(ulong start, ulong count)
    {
        ulong total = 0;
        ulong end = start + count;
        while (start < end)
        {
            ulong mask = MaskFrom(start, end, out ulong next);
            total += (ulong)BitOperations.PopCount(_words[start >> 6] & mask);
            start = next;
        }

        return total;
    }

    /// <summary>Replaces whole words, as read from the device; bits beyond the end must be clear.</summary>
    public void Load(ulong firstWord, ReadOnlySpan<ulong> words)
    {
        for (int i = 0; i < words.Length && firstWord + (ulong)i < (ulong)_words.Length; i++)
        {
            ref ulong word = ref _words[firstWord + (ulong)i];
            SetCount -= (ulong)BitOperations.PopCount(word);
            word = words[i];
            SetCount += (ulong)BitOperations.PopCount(word);
        }
    }

    private ulong Change(ulong start, ulong count, bool set)
    {
        if (start + count > Bits || start + count < start)
        {
            throw new ArgumentOutOfRangeException(nameof(start), "range outside the bitmap");
        }

        ulong changed = 0;
        ulong end = start + count;
        while (start < end)
        {
            ulong mask = MaskFrom(start, end, out ulong next);
            ref ulong word = ref _words[start >> 6];
            changed += (ulong)BitOperations.PopCount((set ? ~word : word) & mask);
            word = set ? word | mask : word & ~mask;
            start = next;
        }

        SetCount = set ? SetCount + changed : SetCount - changed;
        return changed;
    }

    private static ulong MaskFrom(ulong start, ulong end, out ulong next)
    {
        int shift = (int)(start & 63);
        ulong bits = Math.Min(64ul - (ulong)shift, end - start);
        next = start + bits;
        return (bits == 64 ? ulong.MaxValue : (1ul << (int)bits) - 1) << shift;
    }
}
