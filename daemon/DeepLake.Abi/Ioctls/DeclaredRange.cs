// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>What a mount holds: leased blocks, leased inode numbers, live orphans.</summary>
[CStruct("lakefs_declared")]
[StructLayout(LayoutKind.Sequential)]
public struct DeclaredRange
{
    public ulong Start;
    public ulong Count;
    public DeclaredKind Kind;
    public uint Pad;
}
