// SPDX-License-Identifier: MPL-2.0
using System.Globalization;
using DeepLake.Engine;
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Laked.OneShot;

/// <summary>
/// Looks for anything on a device that a person may still want, in a bounded number of reads however
/// large it is.
/// </summary>
internal sealed class KnownContent
{
    private const int EndBytes = 1 << 20; // ZFS, MD and GPT keep copies in the last one
    private const int ProbeBytes = 4096;
    private const int Probes = 64;
    private const long DataBytes = 64 << 20; // of an image file's data

    private const ulong LastSecond = 253_402_300_799; // of the year 9999

    private const string Ends = "its first and last MiB";
    private const string Lake = "a DeepLake filesystem";

    private static readonly string EndsAndPlaces = $"{Ends} and {Probes} places between them";

    // Copies that a filesystem keeps of its superblock, for when its start was lost.
    private static readonly (string What, long Offset, byte[] Magic)[] Copies =
    [
        ("a btrfs filesystem (a copy of its superblock)", (64L << 20) + 0x40, "_BHRfS_M"u8.ToArray()),
        ("a btrfs filesystem (a copy of its superblock)", (256L << 30) + 0x40, "_BHRfS_M"u8.ToArray()),
        ("an ext2, ext3 or ext4 filesystem (a copy of its superblock)", (8193L << 10) + 0x38, [0x53, 0xef]),
        ("an ext2, ext3 or ext4 filesystem (a copy of its superblock)", (128L << 20) + 0x38, [0x53, 0xef]),
    ];

    private static readonly (string What, int Offset, byte[] Magic)[] Signatures =
    [
        (Lake, 4096, "LAKEFS1"u8.ToArray()),
        ("an ext2, ext3 or ext4 filesystem", 0x438, [0x53, 0xef]),
        ("an XFS filesystem", 0, "XFSB"u8.ToArray()),
        ("a btrfs filesystem", 0x10040, "_BHRfS_M"u8.ToArray()),
        ("an F2FS filesystem", 0x400, [0x10, 0x20, 0xf5, 0xf2]),
        ("a squashfs filesystem", 0, "hsqs"u8.ToArray()),
        ("an EROFS filesystem", 0x400, [0xe2, 0xe1, 0xf5, 0xe0]),
        ("an ISO 9660 filesystem", 0x8001, "CD001"u8.ToArray()),
        ("an NTFS filesystem", 3, "NTFS    "u8.ToArray()),
        ("an exFAT filesystem", 3, "EXFAT   "u8.ToArray()),
        ("a FAT filesystem", 0x52, "FAT32"u8.ToArray()),
        ("a FAT filesystem", 0x36, "FAT1"u8.ToArray()),
        ("an encrypted (LUKS) volume", 0, [0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe]),
        ("an LVM physical volume", 512, "LABELONE"u8.ToArray()),
        ("a member of a RAID array", 4096, [0xfc, 0x4e, 0x2b, 0xa9]),
        ("swap space", 4086, "SWAPSPACE2"u8.ToArray()),
        ("a bcache device", 0x1018, [0xc6, 0x85, 0x73, 0xf6, 0x4e, 0x1a, 0x45, 0xca]),
        ("a partition table (GPT)", 512, "EFI PART"u8.ToArray()),
        ("a partition table (MBR) or boot sector", 510, [0x55, 0xaa]),
        ("a tar archive", 257, "ustar"u8.ToArray()),
    ];

    private readonly IBlockDevice _device;
    private readonly AlignedBuffer _buffer = new(EndBytes, zeroed: true);

    private KnownContent(IBlockDevice device) => _device = device;

    /// <summary>What was found, in words, or nothing; and where it was looked for.</summary>
    internal static FoundContent Look(DirectBlockDevice device)
    {
        var look = new KnownContent(device);
        using (look._buffer)
        {
            bool isImage = LinuxFiles.Status(device.FileDescriptor, out FileStatus status) == Errno.None
                && (status.Mode & FileType.Mask) == FileType.Regular;
            FoundContent found = look.InEnds();
            return found.What.Length > 0 ? found
                : isImage ? look.InData(device.FileDescriptor)
                : look.InProbes(0, EndsAndPlaces);
        }
    }

    private FoundContent InEnds()
    {
        Span<byte> start = Read(0, EndBytes);
        string begins = Signature(start);
        if (begins.Length == 0 && start.ContainsAnyExcept((byte)0))
        {
            begins = "data of an unknown kind at its start";
        }
        // Of a lake the last block tells, too, when something else has been written over its first ones.
        if (begins != Lake && LakeRemains.Find(_device) is { } lake)
        {
            return OfLake(lake, begins);
        }
        if (begins.Length == 0 && Read(_device.LengthBytes - EndBytes, EndBytes).ContainsAnyExcept((byte)0))
        {
            begins = "data of an unknown kind at its end";
        }
        return new FoundContent(begins, Ends);
    }

    private static FoundContent OfLake(LakeRemains lake, string begins)
    {
        string label = lake.Label.Length == 0 ? "" : $"\"{lake.Label}\", ";
        string written = DateTimeOffset.FromUnixTimeSeconds((long)Math.Min(lake.WrittenSec, LastSecond)).ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        string known = $"{label}uuid {lake.Uuid}; the copy of its superblock at byte {lake.OffsetBytes} is whole, and of {written}";
        if (lake.HasTicket)
        {
            return new FoundContent($"{Lake} whose first superblock is damaged: {known}", Ends, "lakectl verify tells whether it is otherwise whole");
        }
        string what = begins.Length == 0 ? $"{Lake} whose beginning is gone" : $"{begins}, and what is left of {Lake} whose beginning was overwritten";
        return new FoundContent($"{what}: {known}", Ends, "what led to the lake's files is gone; lakectl repair DEVICE tells whether its archive brings them back");
    }

    private static string Signature(ReadOnlySpan<byte> start)
    {
        foreach ((string what, int offset, byte[] magic) in Signatures)
        {
            if (start.Slice(offset, magic.Length).SequenceEqual(magic))
            {
                return what;
            }
        }
        return "";
    }

    // All that an image file has room for, as far as that is little; what it has no room for is zeroes.
    private FoundContent InData(int fd)
    {
        long left = DataBytes;
        long at = 0;
        while (at < _device.LengthBytes)
        {
            Errno error = LinuxFiles.SeekData(fd, at, out long data);
            if (error == Errno.ENXIO)
            {
                break;
            }
            if (error != Errno.None || LinuxFiles.SeekHole(fd, data, out long end) != Errno.None)
            {
                return InProbes(0, EndsAndPlaces); // its file system cannot tell where data is
            }
            end = Math.Min(end, _device.LengthBytes);
            for (at = data / ProbeBytes * ProbeBytes; at < end; at += EndBytes)
            {
                if (left <= 0)
                {
                    return InProbes(at, $"its last MiB, its first {DataBytes >> 20} MiB of data and {Probes} places after them");
                }
                int length = (int)Math.Min(EndBytes, _device.LengthBytes - at);
                left -= length;
                if (Found(Read(at, length), at) is { } found)
                {
                    return new FoundContent(found, "its data, to the first that was found");
                }
            }
            at = end;
        }
        return new FoundContent("", "all of it");
    }

    // Places at equal distances, and those of known copies.
    private FoundContent InProbes(long from, string places)
    {
        foreach ((string what, long offset, byte[] magic) in Copies.Where(c => c.Offset + ProbeBytes <= _device.LengthBytes))
        {
            long page = offset / ProbeBytes * ProbeBytes;
            if (Read(page, ProbeBytes).Slice((int)(offset - page), magic.Length).SequenceEqual(magic))
            {
                return new FoundContent(what, places);
            }
        }
        for (int i = 1; i <= Probes; i++)
        {
            long at = (from + (_device.LengthBytes - from) / (Probes + 1) * i) / ProbeBytes * ProbeBytes;
            if (Found(Read(at, ProbeBytes), at) is { } found)
            {
                return new FoundContent(found, places);
            }
        }
        return new FoundContent("", places);
    }

    private static string? Found(ReadOnlySpan<byte> read, long at)
    {
        int first = read.IndexOfAnyExcept((byte)0);
        return first < 0 ? null : $"data of an unknown kind at byte {at + first}";
    }

    private Span<byte> Read(long offset, int length)
    {
        Span<byte> into = _buffer.Slice(0, length);
        _device.Read(into, offset);
        return into;
    }
}
