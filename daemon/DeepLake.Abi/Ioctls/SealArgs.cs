// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>SEAL, CHECKED, UNSEAL: the daemon asks for a range of a file, the kernel decides.</summary>
[CStruct("lakefs_seal")]
[StructLayout(LayoutKind.Sequential)]
public struct SealArgs
{
    public ulong Ino;
    /// <summary>Of the inode.</summary>
    public uint Generation;
    public uint Flags;
    /// <summary>Applied when the daemon looked at the map; a change after it refuses.</summary>
    public ulong MapSeq;
    public ulong FileBlock;
    /// <summary>1 to <see cref="LakeRing.SealBlocksMax"/>.</summary>
    public ulong Blocks;
    /// <summary>Out: of the intent.</summary>
    public ulong Seq;
}
