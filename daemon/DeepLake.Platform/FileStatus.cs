// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Platform;

/// <summary>What <c>statx(2)</c> says about a file.</summary>
public readonly record struct FileStatus
{
    internal FileStatus(in StatXBuffer from)
    {
        Mode = from.Mode;
        LinkCount = from.LinkCount;
        Uid = from.Uid;
        Gid = from.Gid;
        Ino = from.Ino;
        SizeBytes = from.Size;
        Atime = from.Atime;
        Mtime = from.Mtime;
        Ctime = from.Ctime;
        Device = ((ulong)from.DevMajor << 32) | from.DevMinor;
        RdevMajor = from.RdevMajor;
        RdevMinor = from.RdevMinor;
    }

    /// <summary>Type and permissions, as in <c>st_mode</c>.</summary>
    public uint Mode { get; }

    public uint LinkCount { get; }

    public uint Uid { get; }

    public uint Gid { get; }

    public ulong Ino { get; }

    public ulong SizeBytes { get; }

    public LakeTime Atime { get; }

    public LakeTime Mtime { get; }

    public LakeTime Ctime { get; }

    /// <summary>Identity of the file system: with <see cref="Ino"/> it identifies the file.</summary>
    public ulong Device { get; }

    public uint RdevMajor { get; }

    public uint RdevMinor { get; }
}
