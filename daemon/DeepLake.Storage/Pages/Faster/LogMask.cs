// SPDX-License-Identifier: MPL-2.0
using System.Numerics;
using System.Runtime.InteropServices;

namespace DeepLake.Storage.Faster;

/// <summary>
/// Ties each sector of the page log to its log address and to the opening of the store that wrote it. A write
/// that the device lost leaves what was there before: of a lap of the region ago, of a store before this one, or
/// of a log that went on from the same checkpoint and was given up in a crash. These are whole records with
/// checksums that are right, of which nothing else says that they are old. So every 64-bit word of a sector is
/// XORed with one that is made of its address and of a salt (the output function of SplitMix64: Steele, Lea and
/// Flood, 2014): read as another sector, no header and no checksum in it fits.
/// </summary>
internal sealed class LogMask
{
    /// <summary>
    /// Openings that a ticket tells apart. When more than that have written what the log still needs, the last salt
    /// goes on.
    /// </summary>
    internal const int MaxSalts = 256;

    private readonly List<LogSalt> _salts = [];

    /// <param name="salts">Of a ticket, each at a greater address than the one before; none: a new store.</param>
    internal LogMask(IReadOnlyList<LogSalt> salts) => _salts.AddRange(salts);

    /// <summary>The salts of all that is at this address or after it.</summary>
    internal List<LogSalt> SaltsFrom(long address)
    {
        int first = IndexOf(address);
        return _salts.GetRange(first, _salts.Count - first);
    }

    /// <summary>The salt at an address; of tickets of one store the same wherever both have been written.</summary>
    internal ulong SaltOf(long address) => _salts[IndexOf(address)].Salt;

    /// <summary>What is written from this address on has another salt.</summary>
    /// <param name="address">Where the checkpoint ends that is opened; a multiple of 8.</param>
    /// <param name="salt">Another one for each opening.</param>
    internal void Begin(long address, ulong salt)
    {
        // (an opening that wrote nothing)
        while (_salts.Count > 0 && _salts[^1].Address >= address)
        {
            _salts.RemoveAt(_salts.Count - 1);
        }
        if (_salts.Count < MaxSalts)
        {
            _salts.Add(new LogSalt(_salts.Count == 0 ? 0 : address, salt));
        }
    }

    /// <summary>Masks or unmasks log bytes, in place.</summary>
    /// <param name="address">Log address of the first; a multiple of 8, and so is their number.</param>
    /// <param name="bytes">Any number of sectors, or parts of them.</param>
    internal void Apply(long address, Span<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            int index = IndexOf(address);
            long sector = address / LogRegionDevice.SectorBytes;
            long end = (sector + 1) * LogRegionDevice.SectorBytes;
            // the sector that a checkpoint ends in is of two openings
            end = index + 1 < _salts.Count ? Math.Min(end, _salts[index + 1].Address) : end;
            int part = (int)Math.Min(end - address, bytes.Length);
            Xor(bytes[..part], Word(_salts[index].Salt, (ulong)sector));
            bytes = bytes[part..];
            address += part;
        }
    }

    private static void Xor(Span<byte> bytes, ulong word)
    {
        Span<Vector<ulong>> vectors = MemoryMarshal.Cast<byte, Vector<ulong>>(bytes);
        var wide = new Vector<ulong>(word);
        foreach (ref Vector<ulong> vector in vectors)
        {
            vector ^= wide;
        }
        foreach (ref ulong rest in MemoryMarshal.Cast<byte, ulong>(bytes[(vectors.Length * Vector<byte>.Count)..]))
        {
            rest ^= word;
        }
    }

    // Few, and most of what is read is near the end.
    private int IndexOf(long address)
    {
        int i = _salts.Count - 1;
        while (i > 0 && _salts[i].Address > address)
        {
            i--;
        }
        return i;
    }

    private static ulong Word(ulong salt, ulong sector)
    {
        ulong x = salt + ((sector + 1) * 0x9e3779b97f4a7c15);
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
        x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
        return x ^ (x >> 31);
    }
}
