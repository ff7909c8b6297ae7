// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>NEXT_WANTED: a device that is mounted and has no daemon.</summary>
[CStruct("lakefs_wanted")]
[StructLayout(LayoutKind.Sequential)]
public struct WantedArgs
{
    /// <summary>In: last seen, out: this one.</summary>
    public ulong Id;
    public uint DevMajor;
    public uint DevMinor;
    public Byte16 Uuid;
}
