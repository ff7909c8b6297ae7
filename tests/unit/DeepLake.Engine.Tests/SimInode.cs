// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Engine.Tests;

/// <summary>What the simulated kernel has in memory of one inode.</summary>
internal sealed class SimInode(ulong ino, uint mode)
{
    public ulong Ino { get; } = ino;

    public uint Mode { get; } = mode;

    public int Links { get; set; }

    public ulong Size { get; set; }

    public SortedDictionary<string, ulong> Entries { get; } = [];

    /// <summary>file block → (device block, flags)</summary>
    public SortedDictionary<ulong, (ulong Phys, uint Flags)> Blocks { get; } = [];

    public HashSet<string> Xattrs { get; } = [];

    public bool IsDirectory => (Mode & 0xf000) == 0x4000;

    public bool IsRegular => (Mode & 0xf000) == 0x8000;
}
