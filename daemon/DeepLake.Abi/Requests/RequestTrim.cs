// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>Leases the next free ranges of [Start, End), for the device to forget their content.</summary>
[CStruct("lakefs_r_trim")]
[StructLayout(LayoutKind.Sequential)]
public struct RequestTrim
{
    public RequestHeader Header;
    public ulong Start;
    public ulong End;
    /// <summary>Shorter ranges are left out.</summary>
    public ulong MinBlocks;
    public ulong MaxBlocks;
}
