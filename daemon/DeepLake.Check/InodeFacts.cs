// SPDX-License-Identifier: MPL-2.0
using DeepLake.Platform;

namespace DeepLake.Check;

/// <summary>What an inode's record claims and what the walk has counted for it.</summary>
internal sealed class InodeFacts
{
    public bool HasRecord;
    public uint Mode;
    public uint Nlink;
    public ulong Size;
    public ulong DataSeq;
    public ulong Blocks;
    public uint XattrCount;
    public uint LinkBytes;

    public ulong NamesFound;
    public ulong EntriesFound;
    public ulong SubdirectoriesFound;
    public ulong BlocksFound;
    public uint XattrsFound;
    public uint LinkBytesFound;
    public bool IsOrphan;
    public ulong ParentDirectory;
    public ulong ExtentEnd;

    /// <summary>Something written below its size is not checked.</summary>
    public bool HasUncheckedData;

    /// <summary>One bit for each DT_* that a directory entry shows this inode as.</summary>
    public uint DirentTypes;

    public bool IsDirectory => FileType.IsDirectory(Mode);

    public bool IsRegular => FileType.IsRegular(Mode);
}
