// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>A range of a file has the same bytes at another place: of the device, or in a pack.</summary>
[CStruct("lakefs_i_remap")]
[StructLayout(LayoutKind.Sequential)]
public struct IntentRemap
{
    public IntentHeader Header;
    public ulong Ino;
    public ulong FileBlock;
    /// <summary>With <see cref="ExtentFlags.Packed"/> a place in packs.</summary>
    public ulong PhysBlock;
    /// <summary>1 to <see cref="LakeRing.RemapBlocksMax"/>.</summary>
    public uint Blocks;
    /// <summary>Those of the one extent that the range is from now on.</summary>
    public uint Flags;
}
