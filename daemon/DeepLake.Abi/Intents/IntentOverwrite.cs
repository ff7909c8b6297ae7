// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>Blocks were overwritten in place: their crc32c no longer hold.</summary>
[CStruct("lakefs_i_overwrite")]
[StructLayout(LayoutKind.Sequential)]
public struct IntentOverwrite
{
    public IntentHeader Header;
    public ulong Ino;
    public ulong FileBlock;
    public ulong Blocks;
}
