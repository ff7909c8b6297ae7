// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Platform;

namespace DeepLake.Client;

/// <summary>What a source says about one file, beside its name and content.</summary>
public sealed record NodeAttributes
{
    /// <summary>Type and permissions.</summary>
    public required uint Mode { get; init; }

    public uint Uid { get; init; }

    public uint Gid { get; init; }

    public uint RdevMajor { get; init; }

    public uint RdevMinor { get; init; }

    public ulong SizeBytes { get; init; }

    public LakeTime Atime { get; init; }

    public LakeTime Mtime { get; init; }

    public IReadOnlyList<Xattr> Xattrs { get; init; } = [];

    public bool IsDirectory => FileType.IsDirectory(Mode);

    public bool IsRegular => FileType.IsRegular(Mode);

    public bool IsSymlink => FileType.IsSymlink(Mode);

    /// <summary>The number of a device file, as new_encode_dev() of the kernel makes it; 0 for others.</summary>
    public uint Rdev => FileType.IsDevice(Mode)
        ? (RdevMinor & 0xff) | (RdevMajor << 8) | ((RdevMinor & ~0xffu) << 12)
        : 0;
}
