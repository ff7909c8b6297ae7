// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;

namespace DeepLake.Cli.Tests;

/// <summary>One file of a lake, with everything that can be known of it.</summary>
internal sealed record LakeNode(InodeRecord Inode, byte[] Content, string Target, Dictionary<string, byte[]> Xattrs)
{
    internal uint Permissions => Inode.Mode & 0xfff;

    internal uint Type => Inode.Mode & 0xf000;
}
