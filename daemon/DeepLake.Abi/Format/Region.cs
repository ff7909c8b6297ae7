// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>A run of blocks of the device.</summary>
[CStruct("lakefs_region")]
[StructLayout(LayoutKind.Sequential)]
public struct Region
{
    public ulong StartBlock;
    public ulong Blocks;
}
