// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Platform;

namespace DeepLake.Sim;

/// <summary>What one inode must be.</summary>
internal sealed class ModelInode(ulong ino, uint mode)
{
    public ulong Ino { get; } = ino;

    public uint Mode { get; set; } = mode;

    public uint Nlink { get; set; }

    public uint Uid { get; set; }

    public uint Gid { get; set; }

    public uint Generation { get; set; }

    public uint Flags { get; set; }

    public ulong Size { get; set; }

    public LakeTime Atime { get; set; }

    public LakeTime Mtime { get; set; }

    public LakeTime Ctime { get; set; }

    public LakeTime Btime { get; set; }

    public ulong LastSeq { get; set; }

    /// <summary>The last intent that answers about it depend on: a clone's source changes too.</summary>
    public ulong Barrier { get; set; }

    /// <summary>The last intent that changed what its blocks are or the rules for them.</summary>
    public ulong MapSeq { get; set; }

    /// <summary>The last intent that changed what its bytes are, or allowed them to be changed in place.</summary>
    public ulong DataSeq { get; set; }

    /// <summary>Of a directory that has a name.</summary>
    public ulong Parent { get; set; }

    public byte[] Link { get; set; } = [];

    public Dictionary<string, ModelEntry> Entries { get; private init; } = [];

    public SortedDictionary<ulong, ModelBlock> Blocks { get; private init; } = [];

    public Dictionary<string, byte[]> Xattrs { get; private init; } = [];

    public bool IsDirectory => FileType.IsDirectory(Mode);

    public bool IsRegular => FileType.IsRegular(Mode);

    public ModelInode Copy() => new(Ino, Mode)
    {
        Nlink = Nlink,
        Uid = Uid,
        Gid = Gid,
        Generation = Generation,
        Flags = Flags,
        Size = Size,
        Atime = Atime,
        Mtime = Mtime,
        Ctime = Ctime,
        Btime = Btime,
        LastSeq = LastSeq,
        Barrier = Barrier,
        MapSeq = MapSeq,
        DataSeq = DataSeq,
        Parent = Parent,
        Link = Link,
        Entries = new(Entries),
        Blocks = new(Blocks),
        Xattrs = new(Xattrs),
    };
}
