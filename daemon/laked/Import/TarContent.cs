// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Laked.Import;

/// <summary>
/// The content of an archive member as ranges of whole blocks: segments that share a block become one
/// range, and what lies between them reads as zeroes.
/// </summary>
internal sealed class TarContent(TarReader reader, TarEntry entry)
{
    private const ulong Block = LakeFormat.BlockSize;

    private int _segment;
    private ulong _at;

    /// <summary>Ranges with data, from block boundaries on, inside the file.</summary>
    internal IEnumerable<(ulong Start, ulong Length)> Ranges()
    {
        ulong start = 0;
        ulong end = 0;
        foreach ((ulong offset, ulong length) in entry.Segments)
        {
            if (length == 0)
            {
                continue;
            }
            ulong first = offset / Block * Block;
            if (first > end)
            {
                if (end > start)
                {
                    yield return (start, end - start);
                }
                start = first;
            }
            end = Math.Min(entry.SizeBytes, (offset + length + Block - 1) / Block * Block);
        }
        if (end > start)
        {
            yield return (start, end - start);
        }
    }

    /// <summary>Ranges are read in their order, each from its start.</summary>
    internal void Begin(ulong start) => _at = start;

    internal int Fill(Span<byte> buffer)
    {
        while (_segment < entry.Segments.Count && entry.Segments[_segment] is var (offset, length) && _at >= offset + length)
        {
            _segment++;
        }
        int count;
        if (_segment == entry.Segments.Count || _at < entry.Segments[_segment].Offset)
        {
            ulong gap = (_segment == entry.Segments.Count ? entry.SizeBytes : entry.Segments[_segment].Offset) - _at;
            count = (int)Math.Min((ulong)buffer.Length, gap);
            buffer[..count].Clear();
        }
        else
        {
            (ulong offset2, ulong length2) = entry.Segments[_segment];
            count = reader.ReadContent(buffer[..(int)Math.Min((ulong)buffer.Length, offset2 + length2 - _at)]);
        }
        _at += (ulong)count;
        return count;
    }
}
