// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>
/// Blocks were or will be overwritten in place: their crc32c no longer hold. Followed by
/// <see cref="Count"/> ranges of file blocks (<see cref="BlockRange"/>), in any order.
/// </summary>
[CStruct("lakefs_i_overwrite")]
[StructLayout(LayoutKind.Sequential)]
public struct IntentOverwrite
{
    public IntentHeader Header;
    public ulong Ino;
    public uint Count;
    public uint Pad;
}
