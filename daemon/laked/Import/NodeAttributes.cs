// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Laked.Import;

/// <summary>What a source says about one file, beside its name and content.</summary>
internal sealed record NodeAttributes
{
    internal const uint TypeMask = 0xf000;
    internal const uint Fifo = 0x1000;
    internal const uint CharDevice = 0x2000;
    internal const uint DirectoryType = 0x4000;
    internal const uint BlockDevice = 0x6000;
    internal const uint Regular = 0x8000;
    internal const uint Symlink = 0xa000;
    internal const uint PermissionMask = 0xfff;

    /// <summary>Type and permissions.</summary>
    internal required uint Mode { get; init; }

    internal uint Uid { get; init; }

    internal uint Gid { get; init; }

    internal uint RdevMajor { get; init; }

    internal uint RdevMinor { get; init; }

    internal ulong SizeBytes { get; init; }

    internal LakeTime Atime { get; init; }

    internal LakeTime Mtime { get; init; }

    internal IReadOnlyList<Xattr> Xattrs { get; init; } = [];

    internal bool IsDirectory => (Mode & TypeMask) == DirectoryType;

    internal bool IsRegular => (Mode & TypeMask) == Regular;

    internal bool IsSymlink => (Mode & TypeMask) == Symlink;

    /// <summary>The number of a device file, as new_encode_dev() of the kernel makes it; 0 for others.</summary>
    internal uint Rdev => (Mode & TypeMask) is CharDevice or BlockDevice
        ? (RdevMinor & 0xff) | (RdevMajor << 8) | ((RdevMinor & ~0xffu) << 12)
        : 0;
}
