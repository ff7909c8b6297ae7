// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;
using DeepLake.Storage;

namespace DeepLake.Laked.OneShot;

/// <summary>Looks for anything on a device that a person may still want.</summary>
internal static class KnownContent
{
    private const int HeadBytes = 1 << 20;
    private const int TailBytes = 64 << 10;

    private static readonly (string What, int Offset, byte[] Magic)[] Signatures =
    [
        ("a DeepLake filesystem", 4096, "LAKEFS1"u8.ToArray()),
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

    /// <summary>What is there, in words; empty when the places where it would show hold only zeroes.</summary>
    internal static string Describe(IBlockDevice device)
    {
        int headBytes = (int)Math.Min(HeadBytes, device.LengthBytes);
        using var head = new AlignedBuffer(HeadBytes, zeroed: true);
        Span<byte> start = head.Slice(0, headBytes);
        device.Read(start, 0);
        foreach ((string what, int offset, byte[] magic) in Signatures)
        {
            if (head.Slice(offset, magic.Length).SequenceEqual(magic))
            {
                return what;
            }
        }
        if (start.ContainsAnyExcept((byte)0))
        {
            return "data of an unknown kind";
        }
        int tailBytes = (int)Math.Min(TailBytes, device.LengthBytes);
        Span<byte> end = head.Slice(0, tailBytes);
        device.Read(end, device.LengthBytes - tailBytes);
        return end.ContainsAnyExcept((byte)0) ? "data of an unknown kind at its end" : "";
    }
}
