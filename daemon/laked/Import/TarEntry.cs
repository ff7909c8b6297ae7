// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Client;

namespace DeepLake.Laked.Import;

/// <summary>One member of an archive. Its content, if it has any, is read before the next one.</summary>
internal sealed class TarEntry
{
    internal byte[] Path { get; set; } = [];

    /// <summary>Target of a symbolic link, or the path of the other name of a hard link.</summary>
    internal byte[] LinkPath { get; set; } = [];

    internal bool IsHardLink { get; set; }

    /// <summary>Type and permissions.</summary>
    internal uint Mode { get; set; }

    internal uint Uid { get; set; }

    internal uint Gid { get; set; }

    internal uint DevMajor { get; set; }

    internal uint DevMinor { get; set; }

    internal LakeTime Mtime { get; set; }

    internal LakeTime? Atime { get; set; }

    internal List<Xattr> Xattrs { get; } = [];

    /// <summary>Size of the file; more than the sum of its segments when it has holes.</summary>
    internal ulong SizeBytes { get; set; }

    /// <summary>Where the stored bytes belong, in order.</summary>
    internal List<(ulong Offset, ulong Length)> Segments { get; set; } = [];

    internal NodeAttributes ToAttributes() => new()
    {
        Mode = Mode,
        Uid = Uid,
        Gid = Gid,
        RdevMajor = DevMajor,
        RdevMinor = DevMinor,
        SizeBytes = SizeBytes,
        Atime = Atime ?? Mtime,
        Mtime = Mtime,
        Xattrs = Xattrs,
    };
}
