// SPDX-License-Identifier: MPL-2.0
using System.Buffers.Binary;
using System.Buffers.Text;
using DeepLake.Abi;
using DeepLake.Engine.Changes;
using DeepLake.Platform;

namespace DeepLake.Laked.Watch;

/// <summary>
/// A place in the log of a lake as a short text that no client needs to understand (docs/watch.md): version, lake,
/// place, and a checksum against typing errors.
/// </summary>
internal static class ChangeCursor
{
    private const byte Version = 1;
    private const int TagBytes = 4;
    private const int BytesMost = 1 + TagBytes + (4 * 10) + 4 + 2;

    internal static string Format(in Superblock lake, LogPlace place)
    {
        Span<byte> bytes = stackalloc byte[BytesMost];
        bytes[0] = Version;
        Tag(lake).CopyTo(bytes[1..]);
        int used = 1 + TagBytes;
        foreach (ulong number in (ReadOnlySpan<ulong>)[place.Lsn, place.Entry, place.Seq, place.Epoch])
        {
            used += WriteNumber(bytes[used..], number);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(bytes[used..], place.Crc);
        used += sizeof(uint);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[used..], (ushort)Crc32C.Compute(bytes[..used]));
        return Base64Url.EncodeToString(bytes[..(used + sizeof(ushort))]);
    }

    internal static CursorStatus Parse(string text, in Superblock lake, out LogPlace place)
    {
        place = default;
        byte[] bytes = new byte[BytesMost];
        if (text.Length > Base64Url.GetEncodedLength(BytesMost) || !Base64Url.IsValid(text) || !Base64Url.TryDecodeFromChars(text, bytes, out int count)
            || count < 1 + TagBytes + sizeof(uint) + sizeof(ushort))
        {
            return CursorStatus.Malformed;
        }

        ReadOnlySpan<byte> body = bytes.AsSpan(0, count - sizeof(ushort));
        if ((ushort)Crc32C.Compute(body) != BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(body.Length)))
        {
            return CursorStatus.Malformed;
        }

        if (body[0] != Version)
        {
            return CursorStatus.OtherVersion;
        }

        if (!body.Slice(1, TagBytes).SequenceEqual(Tag(lake)))
        {
            return CursorStatus.OtherLake;
        }

        ReadOnlySpan<byte> rest = body[(1 + TagBytes)..];
        bool isWhole = TryReadNumber(ref rest, out ulong lsn) & TryReadNumber(ref rest, out ulong entry)
            & TryReadNumber(ref rest, out ulong seq) & TryReadNumber(ref rest, out ulong epoch);
        if (!isWhole || rest.Length != sizeof(uint) || entry > uint.MaxValue)
        {
            return CursorStatus.Malformed;
        }

        place = new LogPlace(lsn, (uint)entry, seq, epoch, BinaryPrimitives.ReadUInt32LittleEndian(rest));
        return CursorStatus.Good;
    }

    private static ReadOnlySpan<byte> Tag(in Superblock lake) => ((ReadOnlySpan<byte>)lake.Uuid)[..TagBytes].ToArray();

    private static int WriteNumber(Span<byte> target, ulong number)
    {
        int used = 0;
        for (; number >= 0x80; number >>= 7)
        {
            target[used++] = (byte)(number | 0x80);
        }

        target[used++] = (byte)number;
        return used;
    }

    private static bool TryReadNumber(ref ReadOnlySpan<byte> rest, out ulong number)
    {
        number = 0;
        for (int i = 0; i < rest.Length && i < 10; i++)
        {
            number |= (ulong)(rest[i] & 0x7f) << (7 * i);
            if (rest[i] < 0x80)
            {
                rest = rest[(i + 1)..];
                return true;
            }
        }

        return false;
    }
}
