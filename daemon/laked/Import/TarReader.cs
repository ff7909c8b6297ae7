// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Platform;

namespace DeepLake.Laked.Import;

/// <summary>
/// Reads ustar, GNU and PAX archives front to back: long names, numeric owners, xattrs, devices, and the
/// sparse formats of GNU tar. System.Formats.Tar has no sparse files and makes text of xattr values.
/// </summary>
internal sealed class TarReader(Stream stream)
{
    internal const int BlockBytes = 512;
    private const int MaxMetaBytes = 16 << 20;

    private readonly byte[] _header = new byte[BlockBytes];
    private readonly PaxRecords _global = new();
    private byte[]? _member;
    private ulong _contentLeft;
    private ulong _paddingLeft;

    /// <summary>Bytes of the archive read so far.</summary>
    internal ulong PositionBytes { get; private set; }

    /// <summary>Whether the end was the archive's own mark, not just the end of the bytes.</summary>
    internal bool SawEndMark { get; private set; }

    /// <summary>Where the newest header begins in the archive.</summary>
    internal ulong HeaderPosition { get; private set; }

    /// <summary>The next member, or null at the end; what is left of the content before it is skipped.</summary>
    internal TarEntry? Next()
    {
        var local = new PaxRecords();
        byte[]? longName = null;
        byte[]? longLink = null;
        while (true)
        {
            Skip(_contentLeft + _paddingLeft);
            _member = null;
            if (!TryReadHeader())
            {
                return null;
            }
            SetContent((ulong)TarNumber.Parse(_header.AsSpan(124, 12)));
            switch ((char)_header[156])
            {
                case 'x':
                    local.Add(ReadMeta());
                    break;
                case 'g':
                    _global.Add(ReadMeta());
                    break;
                case 'L':
                    longName = TrimEnd(ReadMeta());
                    break;
                case 'K':
                    longLink = TrimEnd(ReadMeta());
                    break;
                case 'V':
                    break;
                default:
                    return Build(local, longName, longLink);
            }
        }
    }

    /// <summary>Reads stored content of the present member; 0 when all of it was read.</summary>
    internal int ReadContent(Span<byte> buffer)
    {
        int want = (int)Math.Min((ulong)buffer.Length, _contentLeft);
        ReadExactly(buffer[..want]);
        _contentLeft -= (ulong)want;
        return want;
    }

    private bool TryReadHeader()
    {
        HeaderPosition = PositionBytes;
        int got = stream.ReadAtLeast(_header, BlockBytes, throwOnEndOfStream: false);
        PositionBytes += (ulong)got;
        if (got == 0 || !_header.AsSpan(0, got).ContainsAnyExcept((byte)0))
        {
            SawEndMark = got > 0;
            return false;
        }
        if (got < BlockBytes)
        {
            throw HeaderPosition == 0 ? ArchiveException.NoArchive(_header.AsSpan(0, got)) : ArchiveException.CutOff("inside a header", PositionBytes);
        }
        long sum = 8 * ' ';
        for (int i = 0; i < BlockBytes; i++)
        {
            sum += i is >= 148 and < 156 ? 0 : _header[i];
        }
        if (!HasChecksum(sum))
        {
            throw HeaderPosition == 0 ? ArchiveException.NoArchive(_header) : ArchiveException.Damaged("the header of a member there does not match its checksum, so that what follows cannot be told; the members before it were imported", HeaderPosition);
        }
        return true;
    }

    private bool HasChecksum(long sum)
    {
        try
        {
            return TarNumber.Parse(_header.AsSpan(148, 8)) == sum;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private TarEntry Build(PaxRecords local, byte[]? longName, byte[]? longLink)
    {
        var entry = new TarEntry
        {
            Path = longName ?? NameAndPrefix(),
            LinkPath = longLink ?? Field(157, 100),
            Uid = (uint)TarNumber.Parse(_header.AsSpan(108, 8)),
            Gid = (uint)TarNumber.Parse(_header.AsSpan(116, 8)),
            Mtime = new LakeTime { Sec = TarNumber.Parse(_header.AsSpan(136, 12)) },
            Mode = (uint)TarNumber.Parse(_header.AsSpan(100, 8)) & FileType.PermissionMask,
        };
        SetType(entry);
        TarPax.Apply(entry, _global);
        TarPax.Apply(entry, local);
        _member = entry.Path;
        byte[]? size = local.Find("size") ?? _global.Find("size");
        if (size is not null)
        {
            SetContent(TarNumber.ParseDecimal(size));
        }
        if (!FileType.IsRegular(entry.Mode) || entry.IsHardLink)
        {
            // Only files have content; some programs write the size of a link's target here.
            SetContent(entry.IsHardLink || _header[156] is (byte)'2' ? 0 : _contentLeft);
            return entry;
        }
        entry.SizeBytes = _contentLeft;
        entry.Segments = [(0, _contentLeft)];
        if ((char)_header[156] == 'S')
        {
            TarSparse.ReadOld(this, entry, _header);
        }
        else
        {
            TarSparse.ApplyPax(this, entry, local);
        }
        TarSparse.Check(entry, _contentLeft);
        return entry;
    }

    private void SetType(TarEntry entry)
    {
        uint type;
        switch ((char)_header[156])
        {
            case '\0' or '0' or '7' or 'S':
                // Before ustar a directory was a file with a slash at its end.
                type = entry.Path is [.., (byte)'/'] ? FileType.Directory : FileType.Regular;
                break;
            case '1':
                entry.IsHardLink = true;
                type = FileType.Regular;
                break;
            case '2':
                type = FileType.Symlink;
                break;
            case '3':
                type = FileType.CharDevice;
                break;
            case '4':
                type = FileType.BlockDevice;
                break;
            case '5' or 'D':
                type = FileType.Directory;
                break;
            case '6':
                type = FileType.Fifo;
                break;
            default:
                throw new InvalidDataException($"{Text.Of(entry.Path)} is of a kind ('{(char)_header[156]}') that cannot be imported");
        }
        entry.Mode |= type;
        if (type is FileType.CharDevice or FileType.BlockDevice)
        {
            entry.DevMajor = (uint)TarNumber.Parse(_header.AsSpan(329, 8));
            entry.DevMinor = (uint)TarNumber.Parse(_header.AsSpan(337, 8));
        }
    }

    private byte[] NameAndPrefix()
    {
        byte[] name = Field(0, 100);
        // In GNU's own format other things are where ustar has the prefix.
        bool isUstar = _header.AsSpan(257, 6).SequenceEqual("ustar\0"u8);
        byte[] prefix = isUstar ? Field(345, 155) : [];
        return prefix.Length == 0 ? name : [.. prefix, (byte)'/', .. name];
    }

    private byte[] Field(int offset, int length) => TrimEnd(_header.AsSpan(offset, length));

    private static byte[] TrimEnd(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        return (end < 0 ? field : field[..end]).ToArray();
    }

    private byte[] ReadMeta()
    {
        if (_contentLeft > MaxMetaBytes)
        {
            throw new InvalidDataException($"a header of the archive has {_contentLeft} bytes");
        }
        var bytes = new byte[_contentLeft];
        ReadContent(bytes);
        return bytes;
    }

    private void SetContent(ulong bytes)
    {
        if (bytes > long.MaxValue - BlockBytes)
        {
            throw new InvalidDataException("a member of the archive has an impossible size");
        }
        _contentLeft = bytes;
        _paddingLeft = (BlockBytes - (bytes % BlockBytes)) % BlockBytes;
    }

    /// <summary>Reads a block that continues the present header and is not part of the content.</summary>
    internal void ReadHeaderExtension(Span<byte> block) => ReadExactly(block);

    private void Skip(ulong bytes)
    {
        if (stream.CanSeek)
        {
            stream.Seek((long)bytes, SeekOrigin.Current);
            PositionBytes += bytes;
            bytes = 0;
        }
        Span<byte> scrap = stackalloc byte[BlockBytes * 8];
        while (bytes > 0)
        {
            int count = (int)Math.Min((ulong)scrap.Length, bytes);
            ReadExactly(scrap[..count]);
            bytes -= (ulong)count;
        }
        (_contentLeft, _paddingLeft) = (0, 0);
    }

    private void ReadExactly(Span<byte> buffer)
    {
        int got = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        PositionBytes += (ulong)got;
        if (got < buffer.Length)
        {
            throw ArchiveException.CutOff(_member is null ? "inside a header" : $"inside {Text.Of(_member)}", PositionBytes);
        }
    }
}
