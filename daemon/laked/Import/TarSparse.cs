// SPDX-License-Identifier: MPL-2.0
using System.Text;

namespace DeepLake.Laked.Import;

/// <summary>
/// Sparse files as GNU tar stores them: the old header with its extensions, and the PAX formats 0.0,
/// 0.1 and 1.0 (described in the manual of GNU tar, "Storing Sparse Files").
/// </summary>
internal static class TarSparse
{
    private const int PairBytes = 24;
    private const int NumberBytes = 12;
    private const int MaxSegments = 1 << 20;

    internal static void ReadOld(TarReader reader, TarEntry entry, ReadOnlySpan<byte> header)
    {
        var segments = new List<(ulong, ulong)>();
        ReadPairs(header.Slice(386, 4 * PairBytes), segments);
        entry.SizeBytes = (ulong)TarNumber.Parse(header.Slice(483, NumberBytes));
        bool more = header[482] != 0;
        Span<byte> block = stackalloc byte[TarReader.BlockBytes];
        while (more)
        {
            reader.ReadHeaderExtension(block);
            ReadPairs(block[..(21 * PairBytes)], segments);
            more = block[504] != 0;
        }
        entry.Segments = segments;
    }

    internal static void ApplyPax(TarReader reader, TarEntry entry, PaxRecords records)
    {
        if (records.Find("GNU.sparse.major") is { } major && Text.Of(major) == "1")
        {
            entry.Segments = ReadMap(reader);
        }
        else if (records.Find("GNU.sparse.map") is { } map)
        {
            entry.Segments = Pair([.. Encoding.ASCII.GetString(map).Split(',').Select(n => TarNumber.ParseDecimal(Encoding.ASCII.GetBytes(n)))]);
        }
        else if (records.All.Any(r => r.Key == "GNU.sparse.offset"))
        {
            entry.Segments = Pair([.. records.All.Where(r => r.Key is "GNU.sparse.offset" or "GNU.sparse.numbytes").Select(r => TarNumber.ParseDecimal(r.Value))]);
        }
        else
        {
            return;
        }
        entry.Path = records.Find("GNU.sparse.name") ?? entry.Path;
        byte[] size = records.Find("GNU.sparse.realsize") ?? records.Find("GNU.sparse.size")
            ?? throw new InvalidDataException($"{Text.Of(entry.Path)} is a sparse file without its size");
        entry.SizeBytes = TarNumber.ParseDecimal(size);
    }

    /// <summary>Segments in order, inside the file, and together what is stored.</summary>
    internal static void Check(TarEntry entry, ulong storedBytes)
    {
        ulong end = 0;
        ulong sum = 0;
        foreach ((ulong offset, ulong length) in entry.Segments)
        {
            if (offset < end || length > entry.SizeBytes || offset > entry.SizeBytes - length)
            {
                throw new InvalidDataException($"{Text.Of(entry.Path)} has an impossible map of its data");
            }
            end = offset + length;
            sum += length;
        }
        if (sum != storedBytes || entry.SizeBytes > long.MaxValue)
        {
            throw new InvalidDataException($"{Text.Of(entry.Path)} stores {storedBytes} bytes, its map has {sum}");
        }
    }

    // Format 1.0: the map stands in front of the data, as decimal lines, padded to a block.
    private static List<(ulong, ulong)> ReadMap(TarReader reader)
    {
        var line = new List<byte>();
        Span<byte> block = stackalloc byte[TarReader.BlockBytes];
        var numbers = new List<ulong>();
        ulong expected = ulong.MaxValue;
        while ((ulong)numbers.Count < expected)
        {
            if (reader.ReadContent(block) != block.Length)
            {
                throw ArchiveException.CutOff("inside the map of a sparse file", reader.PositionBytes);
            }
            foreach (byte b in block)
            {
                if (b != '\n')
                {
                    line.Add(b);
                    continue;
                }
                numbers.Add(TarNumber.ParseDecimal(line.ToArray()));
                line.Clear();
                expected = expected == ulong.MaxValue ? 1 + (2 * Math.Min(numbers[0], MaxSegments)) : expected;
                if ((ulong)numbers.Count == expected)
                {
                    break;
                }
            }
            if (line.Count > NumberBytes * 2)
            {
                throw new InvalidDataException("the map of a sparse file is malformed");
            }
        }
        return Pair(numbers[1..]);
    }

    private static void ReadPairs(ReadOnlySpan<byte> pairs, List<(ulong, ulong)> segments)
    {
        for (int at = 0; at < pairs.Length; at += PairBytes)
        {
            if (pairs[at] == 0)
            {
                break;
            }
            segments.Add(((ulong)TarNumber.Parse(pairs.Slice(at, NumberBytes)), (ulong)TarNumber.Parse(pairs.Slice(at + NumberBytes, NumberBytes))));
        }
        if (segments.Count > MaxSegments)
        {
            throw new InvalidDataException("a sparse file has too many segments");
        }
    }

    private static List<(ulong, ulong)> Pair(List<ulong> numbers)
    {
        if (numbers.Count % 2 != 0)
        {
            throw new InvalidDataException("the map of a sparse file is malformed");
        }
        var segments = new List<(ulong, ulong)>(numbers.Count / 2);
        for (int i = 0; i < numbers.Count; i += 2)
        {
            segments.Add((numbers[i], numbers[i + 1]));
        }
        return segments;
    }
}
