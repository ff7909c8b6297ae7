// SPDX-License-Identifier: MPL-2.0
using System.Runtime.InteropServices;

namespace DeepLake.Abi;

/// <summary>Where a piece of content was seen: a hint.</summary>
[CStruct("lakefs_anchor")]
[StructLayout(LayoutKind.Sequential)]
public struct AnchorItem
{
    /// <summary>First 8 bytes of the chunk's BLAKE3.</summary>
    public ulong Fingerprint;
    public ulong Ino;
    /// <summary>In bytes.</summary>
    public ulong Pos;
}
