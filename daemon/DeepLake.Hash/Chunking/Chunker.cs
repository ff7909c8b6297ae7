// SPDX-License-Identifier: MPL-2.0
using System.Runtime.Intrinsics.X86;

namespace DeepLake.Hash.Chunking;

/// <summary>
/// Cuts a content into chunks where the content says (docs/chunking.md), so that an insertion moves only
/// the cuts around it: a gear hash with two masks around a normal size (Xia and others: "FastCDC: a fast
/// and efficient content-defined chunking approach for data deduplication", 2016). The content comes in
/// pieces of any size; the cuts do not depend on them. Allocates when it is made and never again; not
/// for several threads at once.
/// </summary>
public sealed class Chunker
{
    // Where more than this many places of a scan could be cuts, the bytes are gone through one by one.
    private const int MaxCandidates = 512;

    private readonly ChunkSizes _sizes;
    private readonly bool _useLanes;
    private readonly uint[] _candidates = new uint[MaxCandidates];
    private uint _hash;

    public Chunker(ChunkSizes sizes)
        : this(sizes, useLanes: Avx512F.IsSupported)
    {
    }

    internal Chunker(ChunkSizes sizes, bool useLanes)
    {
        _sizes = sizes;
        _useLanes = useLanes;
    }

    /// <summary>Bytes of the chunk that has begun and has no end yet. At the end of the content it is the last one.</summary>
    public int OpenBytes { get; private set; }

    /// <summary>Begins anew.</summary>
    public void Reset()
    {
        OpenBytes = 0;
        _hash = 0;
    }

    /// <summary>The most cuts so many bytes can have.</summary>
    public int MaxCuts(int bytes) => bytes / _sizes.Min + 1;

    /// <summary>Goes on with the content. Writes where chunks end, as numbers of bytes of <paramref name="data"/>.</summary>
    /// <returns>How many there are; <paramref name="cuts"/> has room for <see cref="MaxCuts"/>.</returns>
    public int Append(ReadOnlySpan<byte> data, Span<int> cuts)
    {
        int count = 0;
        int done = 0;
        while (_useLanes && data.Length - done >= GearLanes.MinBytes)
        {
            ReadOnlySpan<byte> part = data.Slice(done, GearLanes.PartBytes(data.Length - done));
            uint hash = _hash;
            int found = GearLanes.Find(part, ref hash, _sizes.LooseMask, _sizes.StrictMask, _candidates);
            if (found < 0)
            {
                CutByBytes(part, done, cuts, ref count);
            }
            else
            {
                CutAtCandidates(_candidates.AsSpan(0, found), part.Length, done, cuts, ref count);
                _hash = hash;
            }
            done += part.Length;
        }
        CutByBytes(data[done..], done, cuts, ref count);
        return count;
    }

    // The same as CutByBytes, from the places where the loose mask fits: offset of the byte after it, and strictness.
    private void CutAtCandidates(ReadOnlySpan<uint> candidates, int bytes, int offset, Span<int> cuts, ref int count)
    {
        int start = -OpenBytes;
        foreach (uint candidate in candidates)
        {
            int end = GearLanes.EndOf(candidate);
            while (end - start > _sizes.Max)
            {
                start += _sizes.Max;
                cuts[count++] = offset + start;
            }
            int size = end - start;
            if (size == _sizes.Max || size >= (GearLanes.IsStrict(candidate) ? _sizes.Min : _sizes.Normal))
            {
                start = end;
                cuts[count++] = offset + end;
            }
        }
        while (bytes - start >= _sizes.Max)
        {
            start += _sizes.Max;
            cuts[count++] = offset + start;
        }
        OpenBytes = bytes - start;
    }

    private void CutByBytes(ReadOnlySpan<byte> data, int offset, Span<int> cuts, ref int count)
    {
        int at = 0;
        while (at < data.Length)
        {
            at += SkipMin(data[at..]);
            at += FindEnd(data[at..], _sizes.Normal - 1, _sizes.StrictMask, out bool found);
            if (!found)
            {
                at += FindEnd(data[at..], _sizes.Max - 1, _sizes.LooseMask, out found);
            }
            if (!found && at < data.Length)
            {
                // As long as a chunk may be: this byte is its last.
                _hash = Gear.Step(_hash, data[at++]);
                found = true;
            }
            if (found)
            {
                cuts[count++] = offset + at;
                OpenBytes = 0;
            }
        }
    }

    // The bytes before the first possible end, without its own; only the last ones of them matter to the hash.
    private int SkipMin(ReadOnlySpan<byte> data)
    {
        int skipped = Math.Clamp(_sizes.Min - 1 - OpenBytes, 0, data.Length);
        int from = Math.Max(0, skipped - Gear.WindowBytes);
        uint hash = from > 0 ? 0 : _hash;
        foreach (byte value in data[from..skipped])
        {
            hash = Gear.Step(hash, value);
        }
        _hash = hash;
        OpenBytes += skipped;
        return skipped;
    }

    // Until a byte ends the chunk, the chunk has `limit` bytes or the data ends.
    private int FindEnd(ReadOnlySpan<byte> data, int limit, uint mask, out bool found)
    {
        int bytes = Math.Clamp(limit - OpenBytes, 0, data.Length);
        uint hash = _hash;
        found = false;
        int at = 0;
        while (at < bytes)
        {
            hash = Gear.Step(hash, data[at++]);
            if ((hash & mask) == 0)
            {
                found = true;
                break;
            }
        }
        _hash = hash;
        OpenBytes += at;
        return at;
    }
}
