// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Metadata.Space;

/// <summary>
/// Blocks that lost all references but one by an intent that is not durable yet. Until it is, the last
/// owner must not write them in place: a power cut would bring the other owner back, which would show
/// the new bytes. Memory only: what a recovery has applied is durable. A block may stay here longer than
/// it has to (two generations take turns), never shorter. Indices are zero-based.
/// </summary>
internal sealed class LatelyShared(ulong blocks) : IDisposable
{
    private Generation? _young;
    private Generation? _old;

    public void Add(ulong start, ulong count, ulong seq) => (_young ??= new Generation(blocks)).Add(start, count, seq);

    public void Release(ulong durableSeq)
    {
        if (_old is { IsEmpty: false } && _old.LastSeq <= durableSeq)
        {
            _old.Clear();
        }

        if (_young is { IsEmpty: false } young && (_old is null or { IsEmpty: true }))
        {
            (_young, _old) = (_old, young);
            if (young.LastSeq <= durableSeq)
            {
                young.Clear();
            }
        }
    }

    /// <summary>The piece of [start, +count) at start that is all in or all out; returns its length.</summary>
    public ulong NextPiece(ulong start, ulong count, out bool lately)
    {
        lately = Contains(start);
        if (_young is null or { IsEmpty: true } && (_old is null or { IsEmpty: true }))
        {
            return count;
        }

        ulong piece = 1;
        while (piece < count && Contains(start + piece) == lately)
        {
            piece++;
        }

        return piece;
    }

    public void Dispose()
    {
        _young?.Dispose();
        _old?.Dispose();
    }

    private bool Contains(ulong block) => (_young?.Contains(block) ?? false) || (_old?.Contains(block) ?? false);

    private sealed class Generation(ulong blocks) : IDisposable
    {
        private readonly BlockBitmap _bits = new(blocks);
        private readonly List<(ulong Start, ulong Count)> _ranges = [];

        public ulong LastSeq { get; private set; }

        public bool IsEmpty => _ranges.Count == 0;

        public bool Contains(ulong block) => _bits[block];

        public void Dispose() => _bits.Dispose();

        public void Add(ulong start, ulong count, ulong seq)
        {
            _bits.Set(start, count);
            _ranges.Add((start, count));
            LastSeq = seq;
        }

        public void Clear()
        {
            foreach ((ulong start, ulong count) in _ranges)
            {
                _bits.Clear(start, count);
            }

            _ranges.Clear();
        }
    }
}
