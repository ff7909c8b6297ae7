// SPDX-License-Identifier: MPL-2.0
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DeepLake.Metadata.Space;

/// <summary>
/// One bit per block; ranges are set and cleared as a whole. Indices are zero-based. Pieces of 65,536 bits
/// that are all clear, or all set, take no memory but their place in a table, 48 KiB for each TiB of device;
/// others 8 KiB each. Outside the managed heap: its limit does not know how large devices are.
/// </summary>
internal sealed unsafe class BlockBitmap : IDisposable
{
    private const int PieceShift = 16;
    private const int PieceBits = 1 << PieceShift;
    private const int WordsOfPiece = PieceBits / 64;

    // Shared by all bitmaps, never written, never freed.
    private static readonly ulong* Clean = Alike(0);
    private static readonly ulong* Full = Alike(ulong.MaxValue);

    private readonly nint[] _pieces;
    private readonly int[] _setCounts;

    public BlockBitmap(ulong bits)
    {
        Bits = bits;
        _pieces = new nint[(bits + PieceBits - 1) >> PieceShift];
        _pieces.AsSpan().Fill((nint)Clean);
        _setCounts = new int[_pieces.Length];
    }

    ~BlockBitmap() => Free();

    public ulong Bits { get; }

    public ulong SetCount { get; private set; }

    /// <summary>Pieces that take memory.</summary>
    public int MixedPieces { get; private set; }

    public bool this[ulong bit] => (Word(bit) >> (int)(bit & 63) & 1) != 0;

    /// <summary>Sets the range; returns how many of its bits were clear.</summary>
    public ulong Set(ulong start, ulong count) => Change(start, count, set: true);

    /// <summary>Clears the range; returns how many of its bits were set.</summary>
    public ulong Clear(ulong start, ulong count) => Change(start, count, set: false);

    /// <summary>The 64 bits that a bit is among; those beyond the end are clear.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Word(ulong bit) => ((ulong*)_pieces[bit >> PieceShift])[(bit >> 6) % WordsOfPiece];

    /// <summary>The first bit from here on that is in a piece with clear ones.</summary>
    public ulong SkipFull(ulong bit)
    {
        while (bit < Bits && _setCounts[bit >> PieceShift] == PieceBits)
        {
            bit = (bit | (PieceBits - 1)) + 1;
        }

        return bit;
    }

    public ulong CountSet(ulong start, ulong count)
    {
        ulong total = 0;
        ulong end = start + count;
        while (start < end)
        {
            ulong mask = MaskFrom(start, end, out ulong next);
            total += (ulong)BitOperations.PopCount(Word(start) & mask);
            start = next;
        }

        return total;
    }

    /// <summary>Replaces words of one piece, as read from the device; bits beyond the end must be clear.</summary>
    public void Load(ulong firstBit, ReadOnlySpan<ulong> words)
    {
        int piece = (int)(firstBit >> PieceShift);
        Span<ulong> target = new Span<ulong>(Own(piece), WordsOfPiece)[(int)((firstBit >> 6) % WordsOfPiece)..][..words.Length];
        int added = Count(words) - Count(target);
        words.CopyTo(target);
        Counted(piece, added);
    }

    /// <summary>Copies words of one piece; those beyond the end are clear.</summary>
    public void CopyTo(ulong firstBit, Span<ulong> words) =>
        new ReadOnlySpan<ulong>((void*)_pieces[firstBit >> PieceShift], WordsOfPiece)[(int)((firstBit >> 6) % WordsOfPiece)..][..words.Length].CopyTo(words);

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
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
            ulong pieceEnd = Math.Min(end, (start | (PieceBits - 1)) + 1);
            changed += ChangePiece((int)(start >> PieceShift), start, pieceEnd, set);
            start = pieceEnd;
        }

        return changed;
    }

    private ulong ChangePiece(int piece, ulong start, ulong end, bool set)
    {
        if (_setCounts[piece] == (set ? PieceBits : 0))
        {
            return 0;
        }

        ulong* words = Own(piece);
        int changed = 0;
        while (start < end)
        {
            ulong mask = MaskFrom(start, end, out ulong next);
            ref ulong word = ref words[(start >> 6) % WordsOfPiece];
            changed += BitOperations.PopCount((set ? ~word : word) & mask);
            word = set ? word | mask : word & ~mask;
            start = next;
        }

        Counted(piece, set ? changed : -changed);
        return (ulong)changed;
    }

    /// <summary>The piece's own words, to be changed.</summary>
    private ulong* Own(int piece)
    {
        var words = (ulong*)_pieces[piece];
        if (words != Clean && words != Full)
        {
            return words;
        }

        var own = (ulong*)NativeMemory.Alloc(WordsOfPiece, sizeof(ulong));
        NativeMemory.Copy(words, own, WordsOfPiece * sizeof(ulong));
        _pieces[piece] = (nint)own;
        MixedPieces++;
        return own;
    }

    private void Counted(int piece, int added)
    {
        SetCount += (ulong)added;
        int count = _setCounts[piece] += added;
        if (count is 0 or PieceBits)
        {
            NativeMemory.Free((void*)_pieces[piece]);
            _pieces[piece] = (nint)(count == 0 ? Clean : Full);
            MixedPieces--;
        }
    }

    private void Free()
    {
        foreach (ref nint piece in _pieces.AsSpan())
        {
            if (piece != (nint)Clean && piece != (nint)Full)
            {
                NativeMemory.Free((void*)piece);
            }

            piece = (nint)Clean;
        }
    }

    private static int Count(ReadOnlySpan<ulong> words)
    {
        int count = 0;
        foreach (ulong word in words)
        {
            count += BitOperations.PopCount(word);
        }

        return count;
    }

    private static ulong* Alike(ulong word)
    {
        var words = (ulong*)NativeMemory.Alloc(WordsOfPiece, sizeof(ulong));
        new Span<ulong>(words, WordsOfPiece).Fill(word);
        return words;
    }

    private static ulong MaskFrom(ulong start, ulong end, out ulong next)
    {
        int shift = (int)(start & 63);
        ulong bits = Math.Min(64ul - (ulong)shift, end - start);
        next = start + bits;
        return (bits == 64 ? ulong.MaxValue : (1ul << (int)bits) - 1) << shift;
    }
}
