// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Platform;

/// <summary>S_IF* and DT_* of Linux, the only place that knows them.</summary>
public static class FileType
{
    public const uint Mask = 0xf000;
    public const uint Fifo = 0x1000;
    public const uint CharDevice = 0x2000;
    public const uint Directory = 0x4000;
    public const uint BlockDevice = 0x6000;
    public const uint Regular = 0x8000;
    public const uint Symlink = 0xa000;
    public const uint Socket = 0xc000;
    public const uint PermissionMask = 0xfff;

    public static bool IsDirectory(uint mode) => (mode & Mask) == Directory;

    public static bool IsRegular(uint mode) => (mode & Mask) == Regular;

    public static bool IsSymlink(uint mode) => (mode & Mask) == Symlink;

    public static bool IsBlockDevice(uint mode) => (mode & Mask) == BlockDevice;

    /// <summary>A character or block device, which has a number.</summary>
    public static bool IsDevice(uint mode) => (mode & Mask) is CharDevice or BlockDevice;

    public static bool IsKnown(uint mode) =>
        (mode & ~(Mask | PermissionMask)) == 0
        && (mode & Mask) is Fifo or CharDevice or Directory or BlockDevice or Regular or Symlink or Socket;

    /// <summary>The DT_* value that readdir reports.</summary>
    public static byte DirentType(uint mode) => (byte)((mode & Mask) >> 12);
}
