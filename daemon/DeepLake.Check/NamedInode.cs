// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Check;

/// <summary>An inode as a finding names it: its number, and a path when there is one. Looked up when printed.</summary>
internal sealed class NamedInode(PathFinder paths, ulong ino)
{
    public override string ToString() => paths.Find(ino) is { } path ? $"inode {ino} ({path})" : $"inode {ino}";
}
