// SPDX-License-Identifier: MPL-2.0
using System.Buffers.Binary;
using DeepLake.Hash;
using DeepLake.Hash.Chunking;

namespace DeepLake.Engine.Ingest;

/// <summary>
/// Finds the anchors of a content that comes from the front to the end, in pieces of any size
/// (docs/chunking.md, "Anchors"). What is left out between two pieces is a hole: there a chunk ends, and
/// cutting begins anew.
/// </summary>
public sealed class AnchorLister
{
    /// <summary>No more are listed of a file; those of its first 9 GiB, about.</summary>
    public const int AnchorsMost = 1 << 16;

    /// <summary>One chunk in so many is an anchor.</summary>
    public const ulong ChunksPerAnchor = 4;

    private const int PieceBytes = 1 << 20;

    private readonly Chunker _chunker = new(ChunkSizes.Lake);
    private readonly Blake3Hasher _open = new();
    private readonly BatchHasher _batch = new();
    private readonly int[] _cuts;
    private readonly ByteRange[] _ranges;
    private readonly Blake3Hash[] _hashes;
    private readonly List<Anchor> _anchors = [];
    private Anchor? _smallest;
    private ulong _end;
    private bool _openIsZero;

    public AnchorLister()
    {
        int most = _chunker.MaxCuts(PieceBytes);
        (_cuts, _ranges, _hashes) = (new int[most], new ByteRange[most], new Blake3Hash[most]);
    }

    /// <summary>Begins anew.</summary>
    public void Begin()
    {
        _anchors.Clear();
        _smallest = null;
        BeginAt(0);
    }

    /// <summary>Goes on with the content.</summary>
    /// <param name="pos">Where the bytes are in it; not before the end of what came last.</param>
    /// <param name="bytes">What is there.</param>
    public void Append(ulong pos, ReadOnlySpan<byte> bytes)
    {
        if (pos != _end)
        {
            EndChunk();
            BeginAt(pos);
        }

        while (!bytes.IsEmpty && _anchors.Count < AnchorsMost)
        {
            ReadOnlySpan<byte> piece = bytes[..Math.Min(bytes.Length, PieceBytes)];
            Cut(piece);
            bytes = bytes[piece.Length..];
        }
    }

    /// <summary>The anchors of the content, in its order. More may not be appended afterwards.</summary>
    public Anchor[] Finish()
    {
        EndChunk();
        BeginAt(_end);
        if (_smallest is { } smallest && smallest.Fingerprint % ChunksPerAnchor != 0 && _anchors.Count < AnchorsMost)
        {
            int at = _anchors.FindIndex(a => a.Pos > smallest.Pos);
            _anchors.Insert(at < 0 ? _anchors.Count : at, smallest);
        }

        return [.. _anchors];
    }

    private void BeginAt(ulong pos)
    {
        _chunker.Reset();
        _open.Reset();
        _openIsZero = true;
        _end = pos;
    }

    private void Cut(ReadOnlySpan<byte> piece)
    {
        ulong opened = _end - (ulong)_chunker.OpenBytes;
        ReadOnlySpan<int> cuts = _cuts.AsSpan(0, _chunker.Append(piece, _cuts));
        int from = 0;
        if (!cuts.IsEmpty)
        {
            from = cuts[0];
            Open(piece[..from]);
            Close(opened, (int)(_end + (ulong)from - opened));
            Whole(piece, cuts);
            from = cuts[^1];
        }

        Open(piece[from..]);
        _end += (ulong)piece.Length;
    }

    /// <summary>The chunks that lie between two cuts of a piece.</summary>
    private void Whole(ReadOnlySpan<byte> piece, ReadOnlySpan<int> cuts)
    {
        int count = 0;
        for (int i = 1; i < cuts.Length; i++)
        {
            var range = new ByteRange(cuts[i - 1], cuts[i] - cuts[i - 1]);
            if (!IsZero(piece.Slice(range.Start, range.Length)))
            {
                _ranges[count++] = range;
            }
        }

        _batch.Hash(piece, _ranges.AsSpan(0, count), _hashes);
        for (int i = 0; i < count; i++)
        {
            Note(_hashes[i], _end + (ulong)_ranges[i].Start, _ranges[i].Length);
        }
    }

    private void Open(ReadOnlySpan<byte> bytes)
    {
        _openIsZero = _openIsZero && IsZero(bytes);
        _open.Append(bytes);
    }

    private void Close(ulong pos, int bytes)
    {
        if (!_openIsZero && bytes >= ChunkSizes.Lake.Min)
        {
            Note(_open.Finish(), pos, bytes);
        }

        _open.Reset();
        _openIsZero = true;
    }

    // A chunk that is shorter than the others is not an anchor: a run of its blocks is hardly worth it.
    private void EndChunk() => Close(_end - (ulong)_chunker.OpenBytes, _chunker.OpenBytes);

    private void Note(Blake3Hash hash, ulong pos, int bytes)
    {
        Span<byte> value = stackalloc byte[Blake3Hash.SizeBytes];
        hash.CopyTo(value);
        var anchor = new Anchor(BinaryPrimitives.ReadUInt64LittleEndian(value), pos, bytes);
        if (anchor.Fingerprint % ChunksPerAnchor == 0 && _anchors.Count < AnchorsMost)
        {
            _anchors.Add(anchor);
        }

        if (_smallest is null || anchor.Fingerprint < _smallest.Value.Fingerprint)
        {
            _smallest = anchor;
        }
    }

    private static bool IsZero(ReadOnlySpan<byte> bytes) => !bytes.ContainsAnyExcept((byte)0);
}
