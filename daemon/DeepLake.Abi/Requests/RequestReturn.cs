// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>Unused leased blocks come back; ranges follow.</summary>
[CStruct("lakefs_r_return")]
[StructLayout(LayoutKind.Sequential)]
public struct RequestReturn
{
    public RequestHeader Header;
    public uint Count;
    public uint Pad;
}
