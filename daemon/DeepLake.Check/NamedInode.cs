// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Check;

/// <summary>An inode as a finding names it: its number, and a path when there is one. Looked up when printed.</summary>
/// <param name="paths">Finds one.</param>
/// <param name="ino">The inode.</param>
/// <param name="names">How many it has.</param>
internal sealed class NamedInode(PathFinder paths, ulong ino, uint names)
{
    public override string ToString() => paths.Find(ino) is { } path ? $"inode {ino} ({path}{Others})" : $"inode {ino}";

    private string Others => names > 2 ? $" and {names - 1} more names" : names == 2 ? " and 1 more name" : "";
}
