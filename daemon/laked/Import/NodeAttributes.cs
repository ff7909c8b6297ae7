// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Platform;

namespace DeepLake.Laked.Import;

/// <summary>What a source says about one file, beside its name and content.</summary>
internal sealed record NodeAttributes
{
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

    internal bool IsDirectory => FileType.IsDirectory(Mode);

    internal bool IsRegular => FileType.IsRegular(Mode);

    internal bool IsSymlink => FileType.IsSymlink(Mode);

    /// <summary>The number of a device file, as new_encode_dev() of the kernel makes it; 0 for others.</summary>
    internal uint Rdev => FileType.IsDevice(Mode)
        ? (RdevMinor & 0xff) | (RdevMajor << 8) | ((RdevMinor & ~0xffu) << 12)
        : 0;
}
